import type { ActorRef, ActorSystem, Link, LinkHandlers, Logger, TimerTask } from '@troupe/actor'
import { record, uint } from '@troupe/crdt/wire'
import { describe, expect, it } from 'vitest'
import { BatchReader } from './batch.ts'
import { AcceptorHandshake } from './handshake.ts'
import { OutboundStream, type Post, REMOVED, type StreamHost } from './outbound-stream.ts'
import { PayloadCodec } from './payload-codec.ts'
import type { Protocol } from './protocol.ts'
import { DeadRef, RemoteRef } from './remote-ref.ts'

const A = { address: 'a:1', uid: 'uid-a' }
const B = { address: 'b:1', uid: 'uid-b' }
const system = {} as ActorSystem
const transport = { system, tell: () => {}, tellSystem: () => {} }
const target = (uid = B.uid): RemoteRef => new RemoteRef(transport, { ...B, uid }, '/user/x', 1)

const counts: Protocol<{ readonly n: number }> = {
  name: 'counts',
  stream: 'ordinary',
  codec: () => record({ n: uint() }),
  expiresAfterMs: 3_000,
}

/** A link in the hands of the test: what was sent over it, and its other end's answers. */
class ScriptedLink implements Link {
  readonly remote = 'b:1'
  readonly sent: Uint8Array[] = []
  readonly handlers: LinkHandlers
  bufferedBytes = 0
  closedWith: string | undefined
  readonly #acceptor: AcceptorHandshake
  #isOpen = false

  constructor(handlers: LinkHandlers, acceptor: AcceptorHandshake) {
    this.handlers = handlers
    this.#acceptor = acceptor
  }

  attach(): void {}

  send(frame: Uint8Array): void {
    if (this.#isOpen) {
      this.sent.push(frame)
      return
    }
    const answer = this.#acceptor.receive(frame)
    if (answer.type === 'Send') this.handlers.onFrame(answer.frame)
    else if (answer.type === 'Accepted') this.#isOpen = true
    else if (answer.type === 'Refused') this.handlers.onClose(answer.reason)
  }

  close(_code: number, reason: string): void {
    this.closedWith = reason
    this.handlers.onClose(reason)
  }

  /** What was sent, decoded: messages of users, and of services by their number. */
  get messages(): readonly unknown[] {
    const refs = {
      self: B,
      peer: A,
      local: (path: string, uid: number) => new DeadRef(system, path, uid),
      remote: (node: typeof A, path: string, uid: number) =>
        new RemoteRef(transport, node, path, uid),
    }
    const payload = new PayloadCodec(refs)
    const messages: unknown[] = []
    const reader = new BatchReader(
      (name) => (frame, start, end) =>
        messages.push(name.startsWith('p') ? frame[start] : payload.unpack(frame, start, end)),
      (news) => payload.learn(news),
    )
    for (const frame of this.sent) reader.read(frame)
    return messages
  }
}

/** A stream of A to B with everything around it in the hands of the test. */
function stream(onOpen: () => readonly Post[] = () => []) {
  let now = 0
  const timers = new Map<TimerTask, number>()
  const turns: (() => void)[] = []
  const links: ScriptedLink[] = []
  const drops: string[] = []
  const counted: string[] = []
  const told: string[] = []
  const world = { cluster: 'bank', quarantined: false }
  const host = {
    platform: {
      clock: { monotonicMs: () => now },
      random: { bytes: (count: number) => new Uint8Array(count).fill(links.length) },
      timers: {
        start: (task: TimerTask, delayMs: number) => void timers.set(task, now + delayMs),
        cancel: (task: TimerTask) => void timers.delete(task),
      },
      executor: { afterIo: (turn: () => void) => void turns.push(turn) },
    },
    log: { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger,
    identity: { cluster: 'bank', self: A, secret: undefined },
    settings: {
      linkQueueMax: 3,
      messageBytesMax: 1_000,
      batchBytes: 500,
      linkBufferBytesMax: 2_000,
      handshakeTimeoutMs: 5_000,
      reconnectMs: 1_000,
    },
    connect: (_host: string, _port: number, handlers: LinkHandlers) => {
      const identity = { cluster: world.cluster, self: B, secret: undefined }
      const link = new ScriptedLink(handlers, new AcceptorHandshake(identity, new Uint8Array(32)))
      links.push(link)
      return link
    },
    translator: () => ({ self: A, peer: B, local: () => target(), remote: () => target() }),
    isQuarantined: () => world.quarantined,
    drop: (_message: unknown, _ref: ActorRef<never>, reason: string) => void drops.push(reason),
    count: (reason: string, messages: number) => void counted.push(`${messages} ${reason}`),
    sent: () => {},
    toldRemoved: (peer: typeof B) => void told.push(peer.address),
  }
  return {
    stream: new OutboundStream(host as unknown as StreamHost, B.address, 'ordinary', onOpen),
    links,
    drops,
    counted,
    told,
    world,
    open: () => links.at(-1)?.handlers.onOpen(),
    /** Ends the turn: what is batched is sent. */
    turn: () => {
      for (const each of turns.splice(0)) each()
    },
    advance: (ms: number) => {
      now += ms
      for (const [task, at] of timers) {
        if (at > now || !timers.delete(task)) continue
        task.fire()
      }
    },
    post: (n: number, changes: Partial<Post> = {}): Post => ({
      kind: 'Post',
      protocol: counts as unknown as Post['protocol'],
      message: { n },
      uid: B.uid,
      recipient: target() as ActorRef<never>,
      postedAt: now,
      isReliable: false,
      ...changes,
    }),
  }
}

describe('a stream', () => {
  it('dials when there is something to say, and not before', () => {
    const { stream: out, links } = stream()
    expect(links).toHaveLength(0)

    out.tell(target(), 'one')
    out.tell(target(), 'two')

    expect(links).toHaveLength(1)
  })

  it('keeps what was said until the link is open, then sends it in order and in one frame a turn', () => {
    const { stream: out, links, open, turn } = stream()
    out.tell(target(), 'one')
    out.tell(target(), 'two')
    open()
    out.tell(target(), 'three')

    turn()

    expect(links[0]?.sent).toHaveLength(1)
    expect(links[0]?.messages).toEqual(['one', 'two', 'three'])
  })

  it('does not wait for the end of the turn when a batch is full', () => {
    const { stream: out, links, open } = stream()
    out.tell(target(), 'first')
    open()

    for (let i = 0; i < 10; i++) out.tell(target(), 'x'.repeat(100))

    expect(links[0]?.sent.length).toBeGreaterThan(1)
  })

  it('says again first what its owner wants said again', () => {
    const again: Post[] = []
    const { stream: out, links, open, turn, post } = stream(() => again)
    again.push(post(7))
    out.tell(target(), 'one')

    open()
    turn()

    expect(links[0]?.messages).toEqual([7, 'one'])
  })

  it('drops what does not fit into its queue, except what is kept elsewhere', () => {
    const { stream: out, drops, links, open, turn, post } = stream()
    for (const text of ['one', 'two', 'three', 'four']) out.tell(target(), text)
    out.post(post(5, { isReliable: true }))
    out.post(post(6))

    open()
    turn()

    expect(drops).toEqual(['LinkQueueFull', 'LinkQueueFull'])
    expect(links[0]?.messages).toEqual(['one', 'two', 'three', 5])
  })

  it('sends nothing that was meant for another incarnation', () => {
    const { stream: out, drops, links, open, turn, post } = stream()
    out.tell(target('uid-before'), 'old')
    out.post(post(1, { uid: 'uid-before' }))
    out.post(post(2, { uid: undefined }))

    open()
    turn()

    expect(drops).toEqual(['NodeRestarted', 'NodeRestarted'])
    expect(links[0]?.messages).toEqual([2])
  })

  it('waits while the host takes no more, and goes on when there is room', () => {
    const { stream: out, links, open, turn } = stream()
    out.tell(target(), 'one')
    open()
    const [link] = links
    if (link === undefined) throw new Error('dialled')
    link.bufferedBytes = 5_000
    turn()

    out.tell(target(), 'two')
    turn()
    expect(link.messages).toEqual(['one'])
    expect(out.queued).toBe(1)
    link.handlers.onDrain()
    expect(out.queued).toBe(1)
    link.bufferedBytes = 0
    link.handlers.onDrain()
    turn()

    expect(link.messages).toEqual(['one', 'two'])
  })
})

describe('a link that fails', () => {
  it('is opened again after a pause, and what waited is sent', () => {
    const { stream: out, links, open, turn, advance } = stream()
    out.tell(target(), 'one')
    links[0]?.handlers.onClose('connection refused')
    expect(out.failure).toBe('connection refused')
    advance(999)
    expect(links).toHaveLength(1)

    advance(1)
    open()
    turn()

    expect(links).toHaveLength(2)
    expect(links[1]?.messages).toEqual(['one'])
    expect(out.failure).toBeUndefined()
  })

  it('is given up when nobody answers in time', () => {
    const { stream: out, links, advance } = stream()
    out.tell(target(), 'one')

    advance(5_000)

    expect(links[0]?.closedWith).toBe('no answer in time')
    advance(1_000)
    expect(links).toHaveLength(2)
  })

  it('is not opened again while there is nothing to say', () => {
    const { stream: out, links, open, turn, advance } = stream()
    out.tell(target(), 'one')
    open()
    turn()

    links[0]?.handlers.onClose('connection reset')
    advance(60_000)

    expect(links).toHaveLength(1)
  })

  it('takes with it what was in its batch, and that is counted', () => {
    const { stream: out, links, open, counted } = stream()
    out.tell(target(), 'one')
    open()
    out.tell(target(), 'two')

    links[0]?.handlers.onClose('connection reset')

    expect(counted).toEqual(['2 LinkClosed'])
  })

  it('does not keep what has expired meanwhile', () => {
    const { stream: out, links, drops, open, turn, advance, post } = stream()
    out.post(post(1))
    links[0]?.handlers.onClose('connection refused')
    advance(2_500)
    out.post(post(2))
    links[1]?.handlers.onClose('connection refused')

    advance(1_000)
    open()
    turn()

    expect(drops).toEqual(['Expired'])
    expect(links[2]?.messages).toEqual([2])
  })

  it('says why, when the other side refuses the handshake', () => {
    const { stream: out, world, open } = stream()
    world.cluster = 'shop'
    out.tell(target(), 'one')

    open()

    expect(out.failure).toContain('another cluster')
  })

  it('is not opened to an incarnation that was removed', () => {
    const { stream: out, links, world, open } = stream()
    world.quarantined = true
    out.tell(target(), 'one')

    open()

    expect(links[0]?.closedWith).toContain('was removed')
    expect(out.queued).toBe(1)
  })

  it('passes on that we were removed, when a node says so that has proven itself', () => {
    const { stream: out, links, told, open } = stream()
    out.tell(target(), 'one')
    links[0]?.handlers.onClose(REMOVED)
    expect(told).toEqual([])

    const again = stream()
    again.stream.tell(target(), 'one')
    again.open()
    again.links[0]?.handlers.onClose(REMOVED)

    expect(again.told).toEqual(['b:1'])
    open()
  })
})

describe('the end of a stream', () => {
  it('sends what is in the batch and drops the rest with the reason', () => {
    const { stream: out, links, drops, open } = stream()
    out.tell(target(), 'one')
    open()
    const [link] = links
    if (link === undefined) throw new Error('dialled')
    link.bufferedBytes = 5_000
    out.flush()
    out.tell(target(), 'two')

    out.close('NodeRemoved')
    out.tell(target(), 'three')

    expect(link.messages).toEqual(['one'])
    expect(link.closedWith).toBe('NodeRemoved')
    expect(drops).toEqual(['NodeRemoved', 'LinkClosed'])
  })
})
