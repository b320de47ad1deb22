import { type ActorRef, ActorSystem, Behaviors, type Logger } from '@troupe/actor'
import { internal, type LocalRef } from '@troupe/actor/spi'
import { ByteReader, ByteWriter } from '@troupe/crdt/wire'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { PayloadCodec } from './payload-codec.ts'
import { DeadRef, RemoteRef } from './remote-ref.ts'

const silence: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
}
const system = ActorSystem.create(Behaviors.empty, 'test', { logger: silence })
afterAll(() => system.terminate())

const A = { address: 'a:1', uid: 'uid-a' }
const B = { address: 'b:1', uid: 'uid-b' }
const transport = { system, tell: () => {}, tellSystem: () => {} }

/** Both ends of one direction of a link from A to B; what crosses it is bytes. */
function link() {
  const found = new Map<string, LocalRef>()
  const translator = (self: typeof A, peer: typeof A) => ({
    self,
    peer,
    local: (path: string, uid: number) =>
      found.get(`${path}#${uid}`) ?? new DeadRef(system, path, uid),
    remote: (node: typeof A, path: string, uid: number) =>
      new RemoteRef(transport, node, path, uid),
  })
  const sender = new PayloadCodec(translator(A, B))
  const receiver = new PayloadCodec(translator(B, A))
  const teach = (): void => {
    const news = sender.takeNewRecords()
    if (news !== undefined) receiver.learn(news.slice())
  }
  const cross = (message: unknown): unknown => {
    const bytes = sender.pack(message).slice()
    teach()
    return receiver.unpack(bytes)
  }
  return { sender, receiver, teach, cross, found }
}

describe('a message', () => {
  it('arrives as it was sent', () => {
    const { cross } = link()
    const message = {
      type: 'Everything',
      numbers: [0, -1, 1.5, 2 ** 53, NaN, Infinity],
      big: [5n, -(2n ** 80n)],
      text: 'ä ✓ 𝄞',
      nothing: null,
      missing: undefined,
      date: new Date(0),
      bytes: new Uint8Array([1, 2]),
      map: new Map<unknown, unknown>([
        ['a', 1],
        [2, { b: 3 }],
      ]),
      set: new Set([1, 'x']),
      nested: { deep: [{ deeper: true }] },
    }

    for (let i = 0; i < 3; i++) expect(cross(message)).toEqual(message)
  })

  it('arrives as it was sent, whatever plain data it is, one after the other on one link', () => {
    const { cross } = link()
    const keys = fc.string().filter((name) => name !== '__proto__')
    // Minus zero arrives as zero, and nobody has missed it yet.
    const numbers = fc.double().map((number) => (number === 0 ? 0 : number))
    const value = fc.object({
      key: keys,
      values: [
        fc.boolean(),
        fc.integer(),
        numbers,
        fc.bigInt(),
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array(),
        fc.constant(null),
        fc.constant(undefined),
      ],
      maxDepth: 3,
      withDate: true,
      withMap: true,
      withSet: true,
    })

    fc.assert(
      fc.property(value, (message) => {
        expect(cross(message)).toEqual(message)
      }),
      { seed: 1 },
    )
  })

  it('names its fields once per link', () => {
    const { sender, cross } = link()
    const message = { aFieldWithALongName: 1, anotherFieldWithALongName: 2 }
    cross(message)

    expect(sender.pack(message).length).toBeLessThan(8)
    expect(sender.takeNewRecords()).toBeUndefined()
  })

  it('may have any number of shapes', () => {
    const { cross } = link()

    for (let i = 0; i < 1_500; i++) {
      const message = { [`field ${i}`]: i, [`other ${i % 7}`]: [{ [`inner ${i}`]: 1 }] }
      expect(cross(message)).toEqual(message)
    }
    expect(cross({ 'field 0': 1, 'other 0': 2 })).toEqual({ 'field 0': 1, 'other 0': 2 })
  })

  it('never becomes a prototype', () => {
    const { cross } = link()
    const hostile: unknown = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}')

    const arrived = cross(hostile) as { isAdmin?: boolean; constructor: unknown }

    expect(arrived.isAdmin).toBeUndefined()
    expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype)
    expect(arrived.constructor).toBe(1)
  })

  it('is a copy: its bytes are not those of the frame', () => {
    const { sender, receiver } = link()
    const frame = sender.pack(new Uint8Array([1, 2, 3])).slice()
    const arrived = receiver.unpack(frame) as Uint8Array

    frame.fill(0)

    expect([...arrived]).toEqual([1, 2, 3])
  })

  it.each([
    ['a function', { callback: () => 1 }],
    ['a symbol', { sign: Symbol('x') }],
  ])('with %s in it cannot be sent', (_, message) => {
    expect(() => link().sender.pack(message)).toThrow()
  })

  it('that contains itself cannot be sent', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle

    expect(() => link().sender.pack(circle)).toThrow(RangeError)
  })

  it('travels inside messages of the framework', () => {
    const { sender, receiver, teach } = link()
    const writer = new ByteWriter()
    writer.string('before')
    sender.write(writer, { type: 'Inside' })
    writer.string('after')
    teach()

    const reader = new ByteReader(writer.finish())

    expect([reader.string(), receiver.read(reader), reader.string()]).toEqual([
      'before',
      { type: 'Inside' },
      'after',
    ])
  })
})

describe('a bad message costs itself alone', () => {
  it('when it cannot be encoded half-way, after it has introduced new records', () => {
    const { sender, cross } = link()
    cross({ known: 1 })

    for (let i = 0; i < 3; i++) {
      expect(() => sender.pack({ fresh: { [`shape ${i}`]: 1 }, bad: () => 1 })).toThrow()
      expect(cross({ known: i })).toEqual({ known: i })
      expect(cross({ [`shape ${i}`]: 2 })).toEqual({ [`shape ${i}`]: 2 })
    }
  })

  it('when it is packed and never sent', () => {
    const { sender, cross } = link()
    sender.pack({ tooLarge: { toBeSent: true } })

    expect(cross({ toBeSent: false })).toEqual({ toBeSent: false })
  })

  it('when it cannot be decoded, whatever is wrong with it', () => {
    const { sender, receiver, teach, cross } = link()
    const good = { type: 'Good', list: [{ x: 1, y: [new Map([[1, { z: 2 }]])] }], big: 7n }
    cross(good)

    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 255 }), fc.nat(3), (at, bits, cut) => {
        const bytes = sender.pack({ ...good, more: { [`k${at % 20}`]: at } }).slice()
        teach()
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ bits
        try {
          const frame = Uint8Array.of(...bytes, 0x91, 0x81, 0xa1, 0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9)
          receiver.unpack(frame, 0, bytes.length - cut)
        } catch {
          // It was bad; now the next one.
        }
        expect(cross(good)).toEqual(good)
      }),
      { seed: 1 },
    )
  })

  it('when it is nested without end', () => {
    const { receiver, cross } = link()

    expect(() => receiver.unpack(new Uint8Array(200_000).fill(0x91))).toThrow()
    expect(cross({ type: 'Good' })).toEqual({ type: 'Good' })
  })
})

describe('records', () => {
  it.each([
    ['noise', Uint8Array.of(255, 255, 255)],
    ['bytes too many', Uint8Array.of(0, 0)],
  ])('that are %s are refused', (_, news) => {
    expect(() => link().receiver.learn(news)).toThrow()
  })

  it('are bounded in number', () => {
    const { receiver } = link()
    const writer = new ByteWriter()
    writer.uint(1_024)
    for (let i = 0; i < 1_024; i++) {
      writer.uint(1)
      writer.string(`f${i}`)
    }
    receiver.learn(writer.finish())

    expect(() => receiver.learn(Uint8Array.of(1, 1, 1, 0x78))).toThrow('too many records')
  })
})

describe('a ref in a message', () => {
  const actor = (name: string): LocalRef =>
    internal(system.systemActorOf(Behaviors.empty, name)) as LocalRef

  it('of the sender is a remote ref at the receiver, and can be reached from then on', () => {
    const { cross } = link()
    const local = actor('sender')
    expect(local.isPublished).toBe(false)

    const { ref } = cross({ ref: local }) as { ref: RemoteRef }

    expect(ref).toBeInstanceOf(RemoteRef)
    expect(ref).toMatchObject({ node: A, localPath: '/system/sender', uid: local.uid })
    expect(ref.path).toBe('troupe://a:1/system/sender')
    expect(local.isPublished).toBe(true)
  })

  it('of the receiver is the actor itself when it comes home', () => {
    const { cross, found } = link()
    const local = actor('receiver')
    found.set(`${local.path}#${local.uid}`, local)

    expect(cross(new RemoteRef(transport, B, local.path, local.uid))).toBe(local)
  })

  it('of the receiver that has stopped is a dead ref, never its successor', () => {
    const { cross } = link()

    const ref = cross(new RemoteRef(transport, B, '/user/gone', 3)) as DeadRef

    expect(ref).toBeInstanceOf(DeadRef)
    expect(ref.isTerminated).toBe(true)
  })

  it('of a third node keeps its node', () => {
    const third = { address: 'c:1', uid: 'uid-c' }

    const ref = link().cross([new RemoteRef(transport, third, '/user/x', 4)]) as RemoteRef[]

    expect(ref[0]).toMatchObject({ node: third, localPath: '/user/x', uid: 4 })
  })

  it('stands for the guardian when it is the system', () => {
    const ref = link().cross(system as ActorRef<never>) as RemoteRef

    expect(ref.localPath).toBe('/user')
  })

  it('of another incarnation of the receiver is not the receiver', () => {
    const before = { address: B.address, uid: 'uid-before' }

    expect(link().cross(new RemoteRef(transport, before, '/user/x', 4))).toMatchObject({
      node: before,
    })
  })

  it('to an address that cannot be dialled is not decoded', () => {
    const { sender, receiver } = link()
    const bytes = sender
      .pack(new RemoteRef(transport, { address: 'not an address', uid: 'x' }, '/user/x', 4))
      .slice()

    expect(() => receiver.unpack(bytes)).toThrow('malformed ref')
  })
})
