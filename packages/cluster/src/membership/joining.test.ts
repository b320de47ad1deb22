import { describe, expect, it } from 'vitest'
import { Joining } from './joining.ts'

const SEEDS = ['a:1', 'b:1', 'c:1']
const PATIENCE_MS = 10_000
const node = (address: string) => ({ address, uid: `uid of ${address}` })
const starts = [{ type: 'StartCluster' }]

describe('the first seed', () => {
  const first = (seeds = SEEDS) => new Joining('a:1', seeds, PATIENCE_MS, 0)

  it('starts a cluster at once when it is the only one', () => {
    expect(first(['a:1']).start()).toEqual(starts)
  })

  it('asks the others first', () => {
    expect(first().start()).toEqual([{ type: 'AskSeeds', addresses: ['b:1', 'c:1'] }])
  })

  it('starts a cluster as soon as all others say that they have none', () => {
    const joining = first()
    joining.start()

    expect(joining.nacked(node('b:1'), 10)).toEqual([])
    expect(joining.nacked(node('c:1'), 20)).toEqual(starts)
  })

  it('never starts one while nobody answers: there may be one behind a broken net', () => {
    const joining = first()
    joining.start()

    for (let now = 1_000; now <= 100 * PATIENCE_MS; now += 1_000) {
      expect(joining.tick(now)).toMatchObject([{ type: 'AskSeeds' }])
    }
  })

  it('starts one with a majority of the seeds when its patience is over', () => {
    const joining = first()
    joining.start()
    joining.nacked(node('b:1'), PATIENCE_MS - 1_000)

    expect(joining.tick(PATIENCE_MS - 1)).toMatchObject([{ type: 'AskSeeds' }])
    expect(joining.tick(PATIENCE_MS)).toEqual(starts)
  })

  it('does not count what a seed said long ago', () => {
    const joining = first()
    joining.start()
    joining.nacked(node('b:1'), 1_000)

    expect(joining.tick(PATIENCE_MS)).toMatchObject([{ type: 'AskSeeds' }])
  })

  it('needs both of two', () => {
    const joining = first(['a:1', 'b:1'])
    joining.start()

    expect(joining.tick(PATIENCE_MS)).toMatchObject([{ type: 'AskSeeds' }])
  })

  it('does not start one while another one is known, although a majority has none', () => {
    const joining = first()
    joining.start()
    joining.acked(node('c:1'), 5_000)
    for (let now = 6_000; now < 5_000 + PATIENCE_MS; now += 1_000) {
      joining.nacked(node('b:1'), now)

      expect(joining.tick(now)).not.toEqual(starts)
    }

    joining.nacked(node('b:1'), 5_000 + PATIENCE_MS)
    expect(joining.tick(5_000 + PATIENCE_MS)).toEqual(starts)
  })

  it('starts one when those who had one have lost it', () => {
    const joining = first()
    joining.start()
    joining.acked(node('c:1'), 10)
    joining.nacked(node('b:1'), 20)
    joining.tick(2_000)

    expect(joining.nacked(node('c:1'), 2_010)).toEqual(starts)
  })

  it('does not count what was said before it was let in and forgotten', () => {
    const joining = first()
    joining.start()
    joining.nacked(node('b:1'), 10)
    joining.acked(node('c:1'), 20)
    joining.welcomed()
    joining.again()

    expect(joining.nacked(node('c:1'), 30)).toEqual([])
  })
})

describe('any other node', () => {
  it('never starts a cluster', () => {
    const joining = new Joining('b:1', SEEDS, PATIENCE_MS, 0)
    joining.start()

    expect(joining.nacked(node('a:1'), 10)).toEqual([])
    expect(joining.nacked(node('c:1'), 20)).toEqual([])
    expect(joining.tick(PATIENCE_MS)).toMatchObject([{ type: 'AskSeeds' }])
  })

  it('joins the first that has a cluster, and only that one', () => {
    const joining = new Joining('b:1', SEEDS, PATIENCE_MS, 0)
    joining.start()

    expect(joining.acked(node('c:1'), 10)).toEqual([{ type: 'Join', to: node('c:1') }])
    expect(joining.acked(node('a:1'), 20)).toEqual([])
  })

  it('asks again when the one it wants to join does not let it in', () => {
    const joining = new Joining('b:1', SEEDS, PATIENCE_MS, 0)
    joining.start()
    joining.acked(node('c:1'), 10)

    expect(joining.tick(500)).toEqual([{ type: 'Join', to: node('c:1') }])
    expect(joining.tick(1_510)).toMatchObject([{ type: 'AskSeeds' }])
    expect(joining.acked(node('a:1'), 1_510)).toEqual([{ type: 'Join', to: node('a:1') }])
  })

  it('is done when it is welcome', () => {
    const joining = new Joining('b:1', SEEDS, PATIENCE_MS, 0)
    joining.start()
    joining.acked(node('c:1'), 10)
    joining.welcomed()

    expect(joining.isDone).toBe(true)
    expect(joining.tick(60_000)).toEqual([])
  })
})
