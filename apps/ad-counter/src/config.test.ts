import { describe, expect, it } from 'vitest'
import { defaultConfig, parseArguments } from './config.ts'

describe('the command line', () => {
  it('runs with the figures of the original when nothing is said', () => {
    expect(parseArguments([])).toEqual({ type: 'Run', config: defaultConfig })
    expect(defaultConfig).toMatchObject({ ads: 5, clients: 5, limit: 5, requests: 50 })
  })

  it('takes numbers after a space or an equals sign', () => {
    expect(parseArguments(['--limit', '7', '--seed=9', '--json'])).toEqual({
      type: 'Run',
      config: { ...defaultConfig, limit: 7, seed: 9, json: true },
    })
  })

  it('gives help whatever else is said', () => {
    expect(parseArguments(['--limit', '7', '--help'])).toEqual({ type: 'Help' })
  })

  it.each([
    [['--colour'], 'I do not know --colour; --help lists what I understand.'],
    [['clients'], 'I do not know clients; --help lists what I understand.'],
    [['--json=1'], 'I do not know --json=1; --help lists what I understand.'],
    [['--ads', '0'], '--ads takes a whole number from 1 to 1000, got 0.'],
    [['--ads', 'many'], '--ads takes a whole number from 1 to 1000, got many.'],
    [['--ads'], '--ads takes a whole number from 1 to 1000, got nothing.'],
    [['--pause='], '--pause takes a whole number from 0 to 10000, got .'],
    [['--requests', '1.5'], '--requests takes a whole number from 1 to 100000, got 1.5.'],
  ])('refuses %j in one sentence', (args, reason) => {
    expect(parseArguments(args)).toEqual({ type: 'Refused', reason })
  })
})
