import { describe, expect, it } from 'vitest'
import {
  AcceptorHandshake,
  DiallerHandshake,
  type HandshakeResult,
  type Identity,
} from './handshake.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const nonce = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const A = { address: 'a:1', uid: 'uid-a' }
const B = { address: 'b:1', uid: 'uid-b' }

function identity(self = A, changes: Partial<Identity> = {}): Identity {
  return { cluster: 'bank', self, secret: text('sixteen letters!'), ...changes }
}

interface Meeting {
  readonly dialler?: Partial<Identity>
  readonly acceptor?: Partial<Identity>
  readonly to?: string
}

/** Plays the handshake to its end. */
function meet({ dialler, acceptor, to = B.address }: Meeting = {}): {
  readonly dialled: HandshakeResult | undefined
  readonly accepted: HandshakeResult
} {
  const dialling = new DiallerHandshake(identity(A, dialler), to, 'control', nonce(1))
  const accepting = new AcceptorHandshake(identity(B, acceptor), nonce(2))
  const challenge = accepting.receive(dialling.start())
  if (challenge.type !== 'Send') return { dialled: undefined, accepted: challenge }
  const dialled = dialling.receive(challenge.frame)
  if (dialled.type !== 'Opened') return { dialled, accepted: challenge }
  return { dialled, accepted: accepting.receive(dialled.frame) }
}

describe('a handshake', () => {
  it('tells each side who the other one is', () => {
    const { dialled, accepted } = meet()

    expect(dialled).toMatchObject({ type: 'Opened', peer: B })
    expect(accepted).toEqual({ type: 'Accepted', peer: A, stream: 'control' })
  })

  it('works without a secret when both sides have none', () => {
    const { accepted } = meet({ dialler: { secret: undefined }, acceptor: { secret: undefined } })

    expect(accepted.type).toBe('Accepted')
  })

  it.each([
    [{ acceptor: { cluster: 'shop' } }, 4003, 'another cluster than bank'],
    [{ to: 'c:1' }, 4005, 'this node is b:1, not c:1'],
    [{ dialler: { self: B } }, 4005, 'does not link to itself'],
  ])('is refused when names do not fit', (meeting, code, reason) => {
    expect(meet(meeting).accepted).toMatchObject({
      type: 'Refused',
      code,
      reason: expect.stringContaining(reason) as string,
    })
  })

  it.each([
    [text('another secret!!'), text('sixteen letters!')],
    [undefined, text('sixteen letters!')],
    [text('sixteen letters!'), undefined],
  ])(
    'ends at the dialler when the secrets differ: the acceptor proves itself first',
    (mine, theirs) => {
      const { dialled } = meet({ dialler: { secret: mine }, acceptor: { secret: theirs } })

      expect(dialled).toMatchObject({ type: 'Refused', code: 4004 })
    },
  )

  it('is refused to a dialler that does not know the secret and goes on all the same', () => {
    const accepting = new AcceptorHandshake(identity(B), nonce(2))
    const thief = new DiallerHandshake(
      identity(A, { secret: text('a guess of mine!') }),
      'b:1',
      'control',
      nonce(1),
    )
    accepting.receive(thief.start())
    const other = new AcceptorHandshake(identity(B, { secret: text('a guess of mine!') }), nonce(2))
    const answer = other.receive(thief.start())
    const proof = answer.type === 'Send' ? thief.receive(answer.frame) : answer

    expect(proof.type).toBe('Opened')
    expect(accepting.receive(proof.type === 'Opened' ? proof.frame : nonce(0))).toMatchObject({
      type: 'Refused',
      code: 4004,
    })
  })

  it('cannot be replayed: the other side has chosen another number this time', () => {
    const dialling = new DiallerHandshake(identity(A), B.address, 'control', nonce(1))
    const first = new AcceptorHandshake(identity(B), nonce(2))
    const challenge = first.receive(dialling.start())
    const proof = challenge.type === 'Send' ? dialling.receive(challenge.frame) : challenge
    if (proof.type !== 'Opened') throw new Error('the first time it works')
    expect(first.receive(proof.frame).type).toBe('Accepted')

    const again = new AcceptorHandshake(identity(B), nonce(3))
    again.receive(dialling.start())

    expect(again.receive(proof.frame)).toMatchObject({ type: 'Refused', code: 4004 })
  })

  it('cannot be reflected: what the acceptor proves is no proof for a dialler', () => {
    const accepting = new AcceptorHandshake(identity(B), nonce(2))
    const dialling = new DiallerHandshake(identity(A), B.address, 'control', nonce(1))
    const challenge = accepting.receive(dialling.start())
    if (challenge.type !== 'Send') throw new Error('it answers')
    // The last 33 bytes of a Challenge are its proof, with the length in front; a Proof is a tag and that.
    const reflected = Uint8Array.of(2, ...challenge.frame.slice(-33))

    expect(accepting.receive(reflected)).toMatchObject({ type: 'Refused', code: 4004 })
  })

  it('is over when the Hello was changed on the way', () => {
    const dialling = new DiallerHandshake(identity(A), B.address, 'control', nonce(1))
    const accepting = new AcceptorHandshake(identity(B), nonce(2))
    const hello = dialling.start().slice()
    const at = hello.lastIndexOf(1)
    hello[at] = 9

    const challenge = accepting.receive(hello)

    expect(challenge.type === 'Send' ? dialling.receive(challenge.frame) : challenge).toMatchObject(
      {
        type: 'Refused',
        code: 4004,
      },
    )
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['noise', new Uint8Array(100).fill(0xff)],
    ['a proof before the hello', Uint8Array.of(2, 0)],
    ['another protocol', text('GET / HTTP/1.1\r\n\r\n')],
    ['a kilobyte too much', new Uint8Array(1_025)],
  ])('does not begin with %s', (_, frame) => {
    expect(new AcceptorHandshake(identity(B), nonce(2)).receive(frame)).toMatchObject({
      type: 'Refused',
      code: 4002,
    })
  })

  it('is refused to other versions, with both numbers', () => {
    const hello = new DiallerHandshake(identity(A), B.address, 'control', nonce(1)).start().slice()
    // Tag, then six letters, then the version.
    expect(hello[7]).toBe(1)
    hello[7] = 2

    expect(new AcceptorHandshake(identity(B), nonce(2)).receive(hello)).toEqual({
      type: 'Refused',
      code: 4002,
      reason: 'protocol version 2, this node speaks 1',
    })
  })

  it('believes nobody whose address cannot be dialled', () => {
    const hello = new DiallerHandshake(
      identity({ address: 'no address', uid: 'x' }),
      B.address,
      'control',
      nonce(1),
    )

    expect(new AcceptorHandshake(identity(B), nonce(2)).receive(hello.start())).toMatchObject({
      type: 'Refused',
      code: 4002,
    })
  })
})
