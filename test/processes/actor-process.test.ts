import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const test = dirname(dirname(fileURLToPath(import.meta.url)))
const hook = pathToFileURL(join(dirname(test), 'scripts/ts-hook.mjs')).href

/** Runs `program` in a Node process of its own; resolves with what it wrote, rejects when it does not end well. */
async function run(program: string): Promise<string> {
  const args = [
    '--import',
    hook,
    '--conditions=@troupe/source',
    '--input-type=module',
    '-e',
    program,
  ]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: test,
    timeout: 30_000,
  })
  return stdout
}

describe('a process with an actor system', () => {
  it('ends by itself when nothing is left to wait for, although it was never told to terminate', async () => {
    const output = await run(`
      import { ActorSystem, Behaviors } from '@troupe/actor'
      const system = ActorSystem.create(Behaviors.receive(() => {
        console.log('heard')
        return Behaviors.same
      }), 'sys')
      system.tell('hello')
    `)

    expect(output).toBe('heard\n')
  })

  it('does not wait for the timeout of an ask that was answered', async () => {
    const output = await run(`
      import { ActorSystem, Behaviors } from '@troupe/actor'
      const system = ActorSystem.create(Behaviors.receive(({ replyTo }) => {
        replyTo.tell('answer')
        return Behaviors.same
      }), 'sys')
      console.log(await system.ask((replyTo) => ({ replyTo }), { timeoutMs: 3_600_000 }))
    `)

    expect(output).toBe('answer\n')
  })

  it('waits for its timers, and terminates in order', async () => {
    const output = await run(`
      import { ActorSystem, Behaviors } from '@troupe/actor'
      const startedAt = performance.now()
      const system = ActorSystem.create(Behaviors.setup((context) => {
        context.timers.startSingleTimer('k', 'ring', 150)
        return Behaviors.receive((message) => {
          const tookMs = performance.now() - startedAt
          console.log(message, tookMs >= 150 ? 'in time' : 'early')
          return Behaviors.stopped
        })
      }), 'sys')
      system.coordinatedShutdown.addTask('service-stop', 'say', () => console.log('stopping'))
      await system.whenTerminated
      console.log('done')
    `)

    expect(output).toBe('ring in time\nstopping\ndone\n')
  })

  it('logs failures as JSON lines to its standard output', async () => {
    const output = await run(`
      import { ActorSystem, Behaviors } from '@troupe/actor'
      const system = ActorSystem.create(Behaviors.receive(() => {
        throw new Error('as planned')
      }), 'sys')
      system.tell('fail')
    `)

    const [line] = output.split('\n')
    expect(JSON.parse(line ?? '')).toMatchObject({
      system: 'sys',
      actor: '/user',
      msg: 'actor failed',
      messageType: 'string',
      err: { message: 'as planned' },
    })
  })
})
