import type { Link } from '@troupe/actor'
import { World } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'

/** One link from `a` to `b`, and what happens at both ends. */
class Ends {
  readonly world: World
  readonly events: string[] = []
  far: Link | undefined
  /** How often the near end heard that there was room again. */
  drains = 0
  readonly near: Link

  constructor(seed = 1, address = 'b:1') {
    this.world = new World(seed)
    const { network } = this.world
    const at = (end: string) => ({
      onOpen: () => void this.events.push(`${end} open`),
      onFrame: (frame: Uint8Array) => void this.events.push(`${end} ${String(frame[0])}`),
      onDrain: () => void this.drains++,
      onClose: (reason: string) => void this.events.push(`${end} closed: ${reason}`),
    })
    void network
      .portOf('b', () => true)
      .listen('b', 1, (link) => {
        this.far = link
        link.attach(at('b'))
      })
    const [host, port] = address.split(':') as [string, string]
    this.near = network.portOf('a', () => true).connect(host, Number(port), at('a'))
  }

  async opened(): Promise<this> {
    await this.world.sleep(100)
    this.events.length = 0
    return this
  }

  send(...numbers: readonly number[]): void {
    for (const each of numbers) this.near.send(Uint8Array.of(each))
  }

  async after(ms: number): Promise<readonly string[]> {
    await this.world.sleep(ms)
    return this.events.splice(0)
  }
}

describe('a simulated link', () => {
  it('opens when its request has arrived and was answered', async () => {
    const ends = new Ends()

    expect(await ends.after(0.1)).toEqual([])
    expect(await ends.after(100)).toEqual(['a open'])
    expect(ends.far).toBeDefined()
  })

  it('is refused where nobody listens', async () => {
    const ends = new Ends(1, 'b:2')

    expect(await ends.after(100)).toEqual(['a closed: connection refused'])
  })

  it.each([1, 2, 3])('keeps frames in order whatever they are delayed (seed %i)', async (seed) => {
    const ends = await new Ends(seed).opened()
    ends.world.network.delay({ minMs: 1, meanExtraMs: 50 })

    ends.send(1, 2, 3, 4, 5)

    expect(await ends.after(10_000)).toEqual(['b 1', 'b 2', 'b 3', 'b 4', 'b 5'])
  })

  it('keeps frames in order through a cut that meets some of them under way', async () => {
    const ends = await new Ends().opened()
    const { network } = ends.world
    network.delay({ minMs: 10, meanExtraMs: 0.001 })

    ends.send(1, 2, 3)
    await ends.world.sleep(5)
    network.partition(['a'], ['b'])
    ends.send(4, 5)
    const during = await ends.after(60_000)
    network.heal()

    expect(during).toEqual([])
    expect(await ends.after(1_000)).toEqual(['b 1', 'b 2', 'b 3', 'b 4', 'b 5'])
  })

  it('delivers everything before the news that it was closed', async () => {
    const ends = await new Ends().opened()

    ends.send(1, 2)
    ends.near.close(1000, 'enough')

    expect(await ends.after(1_000)).toEqual(['a closed: enough', 'b 1', 'b 2', 'b closed: enough'])
  })

  it('brings nothing any more to an end that has closed', async () => {
    const ends = await new Ends().opened()

    ends.far?.send(Uint8Array.of(7))
    ends.near.close(1000, 'enough')

    expect(await ends.after(1_000)).toEqual(['a closed: enough', 'b closed: enough'])
  })

  it('does not tell the other end of its close through a cut', async () => {
    const ends = await new Ends().opened()
    const heal = ends.world.network.partition(['a'], ['b'])

    ends.near.close(1000, 'enough')
    const during = await ends.after(60_000)
    heal()

    expect(during).toEqual(['a closed: enough'])
    expect(await ends.after(1_000)).toEqual(['b closed: enough'])
  })

  it('loses what is under way when it breaks, and tells both ends', async () => {
    const ends = await new Ends().opened()

    ends.send(1, 2)
    ends.world.network.breakLinks('a', 'b')

    expect((await ends.after(1_000)).toSorted()).toEqual([
      'a closed: connection reset',
      'b closed: connection reset',
    ])
  })

  it('counts the bytes that have not arrived as buffered', async () => {
    const ends = await new Ends().opened()

    ends.near.send(new Uint8Array(100))
    const before = ends.near.bufferedBytes
    await ends.after(100)

    expect(before).toBe(100)
    expect(ends.near.bufferedBytes).toBe(0)
  })

  it('tells a process that stands still only afterwards that there is room again', async () => {
    const ends = await new Ends().opened()
    const { network } = ends.world

    ends.send(1)
    network.nodePaused('a', true)
    const arrived = await ends.after(1_000)
    const during = ends.drains
    network.nodePaused('a', false)
    await ends.after(1_000)

    expect(arrived).toEqual(['b 1'])
    expect([during, ends.drains]).toEqual([0, 1])
  })

  it('tells nothing to a process that has ended', async () => {
    const ends = await new Ends().opened()

    ends.send(1)
    ends.world.network.nodeDied('b')

    expect(await ends.after(1_000)).toEqual(['a closed: connection reset'])
  })
})

describe('faults of a simulated network', () => {
  it('are taken back one by one: a way that was cut twice stays cut until both are healed', async () => {
    const { network } = new World(1)
    const healFirst = network.partition(['a'], ['b', 'c'])
    const healSecond = network.cutOneWay('a', 'b')

    healFirst()
    healFirst()
    const afterFirst = [network.isCut('a', 'b'), network.isCut('b', 'a'), network.isCut('a', 'c')]
    healSecond()

    expect(afterFirst).toEqual([true, false, false])
    expect(network.isCut('a', 'b')).toBe(false)
  })

  it('may divide the nodes in more than two parts', () => {
    const { network } = new World(1)

    network.partition(['a', 'b'], ['c'], ['d'])

    expect(network.isCut('a', 'b')).toBe(false)
    expect(['c', 'd'].map((to) => network.isCut('a', to))).toEqual([true, true])
    expect(network.isCut('d', 'c')).toBe(true)
  })

  it('are all taken back by heal, and their own undo does nothing any more', () => {
    const { network } = new World(1)
    const before = network.cutOneWay('a', 'b')
    network.heal()
    network.cutOneWay('a', 'b')

    before()

    expect(network.isCut('a', 'b')).toBe(true)
  })
})
