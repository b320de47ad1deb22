import { createConnection, type Socket } from 'node:net'
import { type ActorRef, Behaviors, type Link, type Network } from '@troupe/actor'
import { Cluster, ClusterError } from '@troupe/cluster'
import { webSocketNetwork } from '@troupe/cluster/spi'
import { ByteReader, ByteWriter } from '@troupe/crdt/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  freePorts,
  type RealNode,
  startCluster,
  startNode,
  until,
  upMembers,
} from './real-nodes.ts'

type Command =
  | { readonly type: 'Echo'; readonly text: string; readonly replyTo: ActorRef<Echoed> }
  | {
      readonly type: 'Introduce'
      readonly to: ActorRef<Command>
      readonly replyTo: ActorRef<Echoed>
    }
  | { readonly type: 'Count'; readonly number: number }
  | { readonly type: 'Stop' }
interface Echoed {
  readonly type: 'Echoed'
  readonly text: string
  readonly by: string
}

const parrot = (name: string) =>
  Behaviors.receive<Command>((message) => {
    if (message.type === 'Echo')
      message.replyTo.tell({ type: 'Echoed', text: message.text, by: name })
    if (message.type === 'Introduce') {
      message.to.tell({ type: 'Echo', text: `from ${name}`, replyTo: message.replyTo })
    }
    return message.type === 'Stop' ? Behaviors.stopped : Behaviors.same
  })

const WITHIN = { timeoutMs: 2_000 }

describe('three nodes over real WebSockets', () => {
  const nodes: RealNode[] = []

  beforeEach(async () => {
    nodes.push(...(await startCluster(3)))
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.system.terminate()))
  })

  function three(): readonly [RealNode, RealNode, RealNode] {
    return nodes as unknown as readonly [RealNode, RealNode, RealNode]
  }

  it('answer a question across', async () => {
    const [a, b] = three()
    const ref = a.refTo(b, b.spawn(parrot('b'), 'parrot'))

    const reply = await ref.ask<Echoed>(
      (replyTo) => ({ type: 'Echo', text: 'hi', replyTo }),
      WITHIN,
    )

    expect(reply).toEqual({ type: 'Echoed', text: 'hi', by: 'b' })
  })

  it('pass refs on inside messages: a third node answers the first one directly', async () => {
    const [a, b, c] = three()
    const inB = a.refTo(b, b.spawn(parrot('b'), 'parrot'))
    const inC = a.refTo(c, c.spawn(parrot('c'), 'parrot'))

    const reply = await inB.ask<Echoed>(
      (replyTo) => ({ type: 'Introduce', to: inC, replyTo }),
      WITHIN,
    )

    expect(reply).toEqual({ type: 'Echoed', text: 'from b', by: 'c' })
  })

  it('keep the order of what one actor says to another', async () => {
    const [a, b] = three()
    const numbers: number[] = []
    const counter = b.spawn(
      Behaviors.receive<Command>((message) => {
        if (message.type === 'Count') numbers.push(message.number)
        return Behaviors.same
      }),
      'counter',
    )
    const ref = a.refTo(b, counter)

    for (let number = 0; number < 5_000; number++) ref.tell({ type: 'Count', number })

    await until(() => numbers.length === 5_000, 5_000)
    expect(numbers).toEqual(Array.from({ length: 5_000 }, (_, number) => number))
  })

  it('hear of the end of a watched actor, after everything it said', async () => {
    const [a, b] = three()
    const heard: string[] = []
    const watcher = a.spawn(
      Behaviors.setup<Echoed | ActorRef<never>>((context) =>
        Behaviors.receive(
          (message) => {
            if ('type' in message) heard.push(message.text)
            else context.watch(message)
            return Behaviors.same
          },
          (signal) => {
            heard.push(signal.type)
            return Behaviors.same
          },
        ),
      ),
      'watcher',
    )
    const ref = a.refTo(b, b.spawn(parrot('b'), 'mortal'))
    watcher.tell(ref)
    ref.tell({ type: 'Echo', text: 'one', replyTo: watcher })
    ref.tell({ type: 'Echo', text: 'two', replyTo: watcher })

    ref.tell({ type: 'Stop' })

    await until(() => heard.includes('Terminated'), 3_000)
    expect(heard).toEqual(['one', 'two', 'Terminated'])
  })

  it('lose a message that cannot be encoded, and no other', async () => {
    const [a, b] = three()
    const ref = a.refTo(b, b.spawn(parrot('b'), 'parrot'))
    const questions = [0, 1, 2].map((number) => {
      const reply = ref.ask<Echoed>(
        (replyTo) => ({ type: 'Echo', text: `${number}`, replyTo }),
        WITHIN,
      )
      ref.tell({ type: 'Count', number: (() => 1) as unknown as number })
      ref.tell({ type: 'Count', text: 'x'.repeat(300_000) } as unknown as Command)
      return reply
    })

    const replies = await Promise.all(questions)

    expect(replies.map(({ text }) => text)).toEqual(['0', '1', '2'])
    expect(a.cluster.metrics.dropped.get('NotSerializable')).toBe(3)
    expect(a.cluster.metrics.dropped.get('MessageTooLarge')).toBe(3)
    expect(a.system.deadLetters.counts.get('NotSerializable')).toBe(3)
  })
})

describe('a node that strangers knock at', () => {
  let node: RealNode
  let port: number
  const strangers: { terminate(): void }[] = []

  beforeEach(async () => {
    port = (await freePorts(1))[0] ?? 0
    node = await startNode({ port, secret: 'a secret of sixteen', handshakeTimeoutMs: 3_000 })
    await node.cluster.whenUp({ timeoutMs: 3_000 })
  })
  afterEach(async () => {
    for (const stranger of strangers.splice(0)) stranger.terminate()
    await node.system.terminate()
  })

  /** A WebSocket that speaks the subprotocol, and how the node closed it. */
  async function knock(address = `127.0.0.1:${port}`): Promise<Knock> {
    const socket = new WebSocket(`ws://${address}/troupe`, 'troupe.v1')
    strangers.push(socket)
    socket.on('error', () => {})
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => socket.on('open', resolve))
    return { socket, closed }
  }

  it('closes text, garbage and frames without end before anything is decoded', async () => {
    const [text, garbage, large, empty] = await Promise.all([knock(), knock(), knock(), knock()])
    text.socket.send('hello')
    garbage.socket.send(new Uint8Array(500).fill(0xff))
    large.socket.send(new Uint8Array(2_000))
    empty.socket.send(new Uint8Array(0))

    expect(await text.closed).toBe(1003)
    expect(await garbage.closed).toBe(4002)
    expect(await large.closed).toBe(1009)
    expect(await empty.closed).toBe(4002)
    await until(() => node.cluster.metrics.linksRefused === 4, 1_000)
    expect(node.cluster.metrics.messagesReceived).toBe(0)
  })

  it('closes a link on which nobody says hello in time', async () => {
    await using impatient = await startNode({ handshakeTimeoutMs: 100 })

    const { closed } = await knock(impatient.cluster.self.address)

    expect(await closed).toBe(4001)
    expect(impatient.cluster.metrics.linksRefused).toBe(1)
  })

  it('refuses another cluster and another secret, and says so in its log', async () => {
    const seeds = [`127.0.0.1:${port}`]
    await using other = await startNode({ seeds, secret: 'a secret of sixteen' }, 'other')
    await using thief = await startNode({ seeds, secret: 'a guess of sixteen!' })

    await until(() => node.cluster.metrics.linksRefused >= 2, 3_000)
    await until(() => thief.cluster.remoting.failureOf(seeds[0] ?? '') !== undefined, 3_000)

    expect(thief.cluster.remoting.failureOf(seeds[0] ?? '')).toContain('secret')
    const reasons = node.logs.withPhrase('link refused').map(({ fields }) => fields['reason'])
    expect(reasons).toContainEqual(expect.stringContaining('another cluster'))
    expect(upMembers(node)).toEqual(seeds)
    await expect(other.cluster.whenUp({ timeoutMs: 100 })).rejects.toThrow(/another cluster/)
  })

  it('is not convinced by a proof that was overheard', async () => {
    const network = webSocketNetwork()
    const overheard: Uint8Array[] = []
    const tapped: Network = {
      ...network,
      connect: (host, at, handlers) => tap(network.connect(host, at, handlers), overheard),
    }
    const seeds = [`127.0.0.1:${port}`]
    await using friend = await startNode({ seeds, secret: 'a secret of sixteen' }, 'test', tapped)
    await friend.cluster.whenUp({ timeoutMs: 5_000 })

    const { socket, closed } = await knock()
    const answer = new Promise((resolve) => socket.once('message', resolve))
    socket.send(overheard[0] ?? new Uint8Array())
    await answer
    socket.send(overheard[1] ?? new Uint8Array())

    expect(await closed).toBe(4004)
  })

  it('answers plain requests, browsers and other paths with a sentence and nothing else', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect(response.status).toBe(426)

    const upgrade = (lines: string): string =>
      `GET ${lines}Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'
    const subprotocol = 'Sec-WebSocket-Protocol: troupe.v1\r\n'
    const browser = `${upgrade('/troupe HTTP/1.1\r\n')}${subprotocol}Origin: http://evil\r\n\r\n`
    const lost = `${upgrade('/other HTTP/1.1\r\n')}${subprotocol}\r\n`
    const silent = `${upgrade('/troupe HTTP/1.1\r\n')}\r\n`

    expect(await firstLine(browser)).toContain('403')
    expect(await firstLine(lost)).toContain('404')
    expect(await firstLine(silent)).toContain('400')
  })

  it('lets friends in while strangers hold hundreds of links open', async () => {
    const flood = await Promise.all(Array.from({ length: 300 }, () => knock()))
    const seeds = [`127.0.0.1:${port}`]

    await using friend = await startNode({ seeds, secret: 'a secret of sixteen' })
    await friend.cluster.whenUp({ timeoutMs: 5_000 })

    expect(upMembers(friend)).toHaveLength(2)
    await Promise.all(flood.map(({ closed }) => closed))
    expect(node.cluster.metrics.linksRefused).toBe(300)
  })

  /** Writes down the first two frames: a whole handshake, as seen from the dialling side. */
  function tap(link: Link, overheard: Uint8Array[]): Link {
    const send = link.send.bind(link)
    link.send = (frame) => {
      if (overheard.length < 2) overheard.push(frame.slice())
      send(frame)
    }
    return link
  }

  function firstLine(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket: Socket = createConnection(port, '127.0.0.1', () => socket.write(request))
      strangers.push({ terminate: () => socket.destroy() })
      socket.once('data', (bytes) => resolve(bytes.toString('latin1').split('\r\n')[0] ?? ''))
      socket.once('error', reject)
    })
  }
})

describe('a friend that breaks the protocol', () => {
  it('is cut off, and everybody else goes on', async () => {
    const [a, b] = (await startCluster(2)) as [RealNode, RealNode]
    await using _a = a
    await using _b = b
    const ref = a.refTo(b, b.spawn(parrot('b'), 'parrot'))
    const stranger = new WebSocket(`ws://${b.cluster.self.address}/troupe`, 'troupe.v1')
    const closed = new Promise<number>((resolve) => stranger.on('close', resolve))
    await new Promise((resolve) => stranger.on('open', resolve))
    const answer = new Promise((resolve) => stranger.once('message', resolve))
    stranger.send(hello(b.cluster.self.address))
    await answer
    stranger.send(Uint8Array.of(2, 0))
    // Longer than any stranger's frame may be: the limit of strangers is lifted for friends.
    const large = new ByteWriter()
    large.uint(3)
    large.string('a/user/nobody#7')
    large.bytes(new Uint8Array(200_000))
    stranger.send(large.finish())
    await until(() => b.cluster.metrics.dropped.get('Undecodable') === 1, 2_000)

    stranger.send(Uint8Array.of(200, 1))

    expect(await closed).toBe(4002)
    const reply = await ref.ask<Echoed>(
      (replyTo) => ({ type: 'Echo', text: 'hi', replyTo }),
      WITHIN,
    )
    expect(reply.text).toBe('hi')
  })

  /** A Hello as `test` without a secret says it, written by hand. */
  function hello(to: string): Uint8Array {
    const writer = new ByteWriter()
    writer.uint(0)
    writer.raw(new TextEncoder().encode('troupe'))
    writer.uint(1)
    writer.uint(0)
    writer.string('test')
    writer.uint(1)
    writer.string('127.0.0.1:9')
    writer.string('uid-of-a-friend')
    writer.string(to)
    writer.bytes(new Uint8Array(32))
    expect(new ByteReader(writer.finish()).remaining).toBeGreaterThan(50)
    return writer.finish()
  }
})

describe('starting a node', () => {
  it('on a port in use fails with a sentence that says so', async () => {
    const port = (await freePorts(1))[0] ?? 0
    await using _first = await startNode({ port })

    const failure = await startNode({ port }).then(
      () => undefined,
      (error: unknown) => error,
    )

    expect(failure).toBeInstanceOf(ClusterError)
    expect(failure).toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: `127.0.0.1:${port} is in use by another program; stop it, or choose another port`,
    })
  })

  it('beyond loopback without a secret is refused, with a sentence that says what to set', async () => {
    await expect(startNode({ host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'INSECURE_BIND',
      message: expect.stringContaining('set `secret`'),
    })
  })

  it('twice in one system is refused', async () => {
    await using node = await startNode()

    await expect(Cluster.start(node.system)).rejects.toMatchObject({ code: 'ALREADY_STARTED' })
  })
})

interface Knock {
  readonly socket: WebSocket
  /** The code with which the other end closed. */
  readonly closed: Promise<number>
}
