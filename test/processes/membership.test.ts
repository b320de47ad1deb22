import { type ChildProcess, fork } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { root } from '../repo/repository.ts'
import {
  freePorts,
  type RealNode,
  startCluster,
  startNode,
  until,
  upMembers,
} from './real-nodes.ts'

describe('a cluster of processes', () => {
  const children = new Set<NodeProcess>()
  const nodes: RealNode[] = []

  afterEach(async () => {
    for (const child of children) child.kill()
    children.clear()
    await Promise.all(nodes.splice(0).map((node) => node.system.terminate()))
  })

  function start(port: number, seeds: readonly string[], stableAfterMs = 3_000): NodeProcess {
    const child = new NodeProcess(port, seeds, stableAfterMs)
    children.add(child)
    return child
  }

  it('replaces a node that was killed when it starts again, without waiting for downing', async () => {
    const ports = await freePorts(3)
    const seeds = ports.map((port) => `127.0.0.1:${port}`)
    const stableAfterMs = 60_000
    const [a, b] = [ports[0] ?? 0, ports[1] ?? 0].map((port) => start(port, seeds, stableAfterMs))
    if (a === undefined || b === undefined) throw new Error('two nodes')
    const here = await startNode({ port: ports[2] ?? 0, seeds, stableAfterMs })
    nodes.push(here)
    await until(() => [a, b].every((each) => each.up().length === 3), 20_000)
    const first = a.self?.uid

    a.kill()
    const again = start(ports[0] ?? 0, seeds, stableAfterMs)
    // Downing would take a minute.
    await until(() => again.up().length === 3, 30_000)
    await until(() => b.up().length === 3 && upMembers(here).length === 3, 5_000)

    const uids = here.cluster.state.members.map(({ node }) => node.uid)
    expect(uids).toContain(again.self?.uid)
    expect(uids).not.toContain(first)
  })

  it('removes a node that was killed and does not come back, after a few seconds', async () => {
    const ports = await freePorts(3)
    const seeds = ports.map((port) => `127.0.0.1:${port}`)
    const [a, b] = await Promise.all(ports.slice(0, 2).map((port) => startNode({ port, seeds })))
    if (a === undefined || b === undefined) throw new Error('two nodes')
    nodes.push(a, b)
    const c = start(ports[2] ?? 0, seeds)
    await until(() => c.up().length === 3, 20_000)

    c.kill()

    await until(() => a.cluster.state.unreachable.length === 1, 10_000)
    await until(() => [a, b].every((node) => node.cluster.state.members.length === 2), 10_000)
    expect(upMembers(a)).toEqual([a, b].map((node) => node.cluster.self.address).sort())
  })

  it('lets a node leave in good order', async () => {
    const [a, b] = await startCluster(2)
    if (a === undefined || b === undefined) throw new Error('two nodes')
    nodes.push(a, b)
    const port = (await freePorts(1))[0] ?? 0
    const c = start(port, [a.cluster.self.address])
    await until(() => c.up().length === 3, 20_000)

    c.send('leave')

    await until(() => [a, b].every((node) => node.cluster.state.members.length === 2), 10_000)
    expect([a, b].flatMap((node) => node.cluster.state.unreachable)).toEqual([])
    expect(await c.exitCode).toBe(0)
  })
})

/** A node in a process of its own, and what it last said about its members. */
class NodeProcess {
  readonly exitCode: Promise<number | null>
  self: { readonly address: string; readonly uid: string } | undefined
  readonly #process: ChildProcess
  #members: readonly { readonly address: string; readonly status: string }[] = []

  constructor(port: number, seeds: readonly string[], stableAfterMs: number) {
    this.#process = fork(
      'test/processes/cluster-node.ts',
      [String(port), seeds.join(), String(stableAfterMs)],
      {
        cwd: root,
        execArgv: ['--import', './scripts/ts-hook.mjs', '--conditions=@troupe/source'],
      },
    )
    this.#process.on('message', (said: { self: NonNullable<NodeProcess['self']>; members: [] }) => {
      this.self = said.self
      this.#members = said.members
    })
    this.exitCode = new Promise((resolve) => this.#process.once('exit', (code) => resolve(code)))
  }

  up(): readonly string[] {
    return this.#members.filter(({ status }) => status === 'Up').map(({ address }) => address)
  }

  send(message: string): void {
    this.#process.send(message)
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}
