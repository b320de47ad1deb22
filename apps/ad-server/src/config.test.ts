import { describe, expect, it } from 'vitest'
import { HELP, parseArguments } from './config.ts'

const configOf = (...args: string[]) => {
  const asked = parseArguments(args)
  if (asked.type !== 'Run') throw new Error(JSON.stringify(asked))
  return asked.config
}
const reasonOf = (...args: string[]) => {
  const asked = parseArguments(args)
  return asked.type === 'Refused' ? asked.reason : undefined
}

describe('the command line of the ad server', () => {
  it('starts three nodes on free ports without any flag', () => {
    expect(configOf()).toEqual({
      nodes: 3,
      basePort: undefined,
      pagePort: 8080,
      isPagePortAsked: false,
      dataFolder: undefined,
      replayFolder: undefined,
      rate: 100,
      speed: 60,
      forMs: undefined,
      json: false,
      kill: false,
      seed: 1,
    })
  })

  it('understands every flag', () => {
    const line =
      '--nodes 5 --port 9000 --page-port=8090 --data d --replay r --rate 1000 --speed 0.5 ' +
      '--for 20s --json --kill --seed 7'
    const config = configOf(...line.split(' '))

    expect(config).toEqual({
      nodes: 5,
      basePort: 9000,
      pagePort: 8090,
      isPagePortAsked: true,
      dataFolder: 'd',
      replayFolder: 'r',
      rate: 1000,
      speed: 0.5,
      forMs: 20_000,
      json: true,
      kill: true,
      seed: 7,
    })
  })

  it.each([
    ['500ms', 500],
    ['20s', 20_000],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
  ])('reads %s as %i ms', (text, ms) => {
    expect(configOf('--for', text).forMs).toBe(ms)
  })

  it.each([
    [['--rat', '5'], '--rat is not a flag'],
    [['--__proto__', '5'], '--__proto__ is not a flag'],
    [['fast'], '"fast" is not a flag'],
    [['--rate'], '--rate needs a value'],
    [['--data', '--kill'], '--data needs a value'],
    [['--kill=yes'], '--kill takes no value'],
    [['--rate', '1', '--rate', '2'], '--rate is given twice'],
    [['--rate', '1e3'], '--rate must be a number from 0 to 100000, got "1e3"'],
    [['--rate', '-5'], '--rate must be a number from 0 to 100000, got "-5"'],
    [['--nodes', '0'], '--nodes must be a whole number from 1 to 9, got "0"'],
    [['--nodes', '2.5'], '--nodes must be a whole number from 1 to 9, got "2.5"'],
    [['--port', '65531'], '--port needs 6 ports in a row below 65536, got "65531"'],
    [
      ['--kill', '--nodes', '1'],
      '--kill needs --nodes 2 or more, so that somebody answers meanwhile',
    ],
    [['--for', '20'], '--for must be a time such as 500ms, 20s or 5m, got "20"'],
    [['--for', '25h'], '--for must be a time such as 500ms, 20s or 5m, got "25h"'],
    [['--for', '0s'], '--for must be a time such as 500ms, 20s or 5m, got "0s"'],
    [['--data='], '--data must name a folder, got ""'],
  ])('refuses %j in one sentence', (args, reason) => {
    expect(reasonOf(...args)).toBe(`${reason}; --help lists all flags`)
  })

  it('explains every flag', () => {
    expect(parseArguments(['--rate', '5', '-h'])).toEqual({ type: 'Help' })
    for (const flag of [
      'rate',
      'speed',
      'for',
      'kill',
      'replay',
      'data',
      'nodes',
      'port',
      'page-port',
      'json',
      'seed',
    ])
      expect(HELP).toContain(`\n  --${flag} `)
  })
})
