import type { Logger } from '@troupe/actor'
import { expect, it } from 'vitest'
import { RefusalLog } from './refusal-log.ts'

it('writes the first ten refusals of a minute and counts the others', () => {
  let now = 0
  const lines: object[] = []
  const log = { warn: (fields: object) => void lines.push(fields) } as unknown as Logger
  const refusals = new RefusalLog(log, { monotonicMs: () => now, wallMs: () => 0 })

  for (let i = 0; i < 25; i++) refusals.refused('1.2.3.4:5', 'no handshake')
  expect(lines).toHaveLength(10)
  now = 60_000
  refusals.refused('1.2.3.4:5', 'no handshake')
  refusals.refused('1.2.3.4:5', 'no handshake')

  expect(lines).toHaveLength(12)
  expect(lines[9]).toEqual({ remote: '1.2.3.4:5', reason: 'no handshake' })
  expect(lines[10]).toEqual({ remote: '1.2.3.4:5', reason: 'no handshake', unwritten: 15 })
  expect(lines[11]).not.toHaveProperty('unwritten')
})
