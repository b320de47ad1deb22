import { describe, expect, it } from 'vitest'
import { Reachability } from './reachability.ts'

const everybody = (): boolean => true

describe('reachability', () => {
  it('counts a node as unreachable if anybody says so, and until all have taken it back', () => {
    const both = Reachability.none.observed('a', 'c', false).observed('b', 'c', false)

    expect(both.unreachable()).toEqual(new Set(['c']))
    expect(both.observed('a', 'c', true).unreachable()).toEqual(new Set(['c']))
    expect(both.observed('a', 'c', true).observed('b', 'c', true).isAllReachable).toBe(true)
  })

  it('does not count what ignored observers say', () => {
    const table = Reachability.none.observed('a', 'c', false).observed('b', 'd', false)

    expect(table.unreachable(new Set(['a']))).toEqual(new Set(['d']))
  })

  it('does not change when an opinion stays the same', () => {
    const table = Reachability.none.observed('a', 'b', false)

    expect(table.observed('a', 'b', false)).toBe(table)
    expect(Reachability.none.observed('a', 'b', true)).toBe(Reachability.none)
  })

  it('keeps the newest word of each observer in a merge, in either order', () => {
    const older = Reachability.none.observed('a', 'b', false)
    const newer = older.observed('a', 'b', true).observed('a', 'c', false)

    expect(String(older.merge(newer, everybody))).toBe(String(newer))
    expect(String(newer.merge(older, everybody))).toBe(String(newer))
  })

  it('never forgets that a suspicion was taken back', () => {
    const suspected = Reachability.none.observed('a', 'b', false)
    const takenBack = suspected.observed('a', 'b', true)

    expect(takenBack.merge(suspected, everybody).isAllReachable).toBe(true)
  })

  it('drops rows of and opinions about those who are no members any more', () => {
    const table = Reachability.none.observed('a', 'b', false).observed('b', 'a', false)

    const left = table.retain((key) => key === 'a')

    expect([...left.rows.keys()]).toEqual(['a'])
    expect(left.isAllReachable).toBe(true)
  })
})
