import { Writable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { ActorSystem } from './actor-system.ts'
import { Behaviors } from './behavior.ts'

describe('the log of a system', () => {
  it('goes through pino as one JSON object a line, refs by their path', async () => {
    const lines: string[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString())
        done()
      },
    })
    const system = ActorSystem.create(
      Behaviors.receive<'fail'>((_, context) => {
        context.log.warn({ self: context.self }, 'about to fail')
        throw new Error('as planned')
      }),
      'sys',
      { logger: pino({ base: null, timestamp: false }, sink) },
    )

    system.tell('fail')
    await system.whenTerminated

    const [warning, failure] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(warning).toEqual({
      level: 40,
      actor: '/user',
      self: expect.stringMatching(/^\/user#\d+$/),
      msg: 'about to fail',
    })
    expect(failure).toMatchObject({
      level: 50,
      actor: '/user',
      decision: 'Stop',
      err: { type: 'Error', message: 'as planned', stack: expect.stringContaining('as planned') },
      msg: 'actor failed',
    })
  })
})
