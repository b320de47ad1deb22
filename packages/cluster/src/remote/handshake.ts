import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import {
  bytes,
  type Codec,
  decode,
  encode,
  literal,
  oneOf,
  record,
  string,
  uint,
  union,
  WireError,
} from '@troupe/crdt/wire'
import { type UniqueAddress, uniqueAddressCodec } from '../node-address.ts'
import { HANDSHAKE_FRAME_BYTES_MAX, STREAM_NAMES, type StreamName } from './protocol.ts'

/**
 * How two nodes meet on a new link, before anything else is decoded.
 *
 *   dialler  → Hello      who I am, which cluster and stream, a nonce
 *   acceptor → Challenge  who I am, a nonce, proof that I know the secret
 *   dialler  → Proof      proof that I know it too
 *
 * A proof is an HMAC over a label for the role and a hash of all that was said before, so it can be
 * neither replayed (nonces) nor reflected (labels). The acceptor proves itself first. Without a secret
 * the proofs are empty; both sides must agree on whether there is one. Nothing in these messages is
 * believed beyond its schema, and whatever goes wrong closes the link with a code and one sentence.
 */
export type HandshakeMessage =
  | {
      readonly type: 'Hello'
      readonly magic: typeof MAGIC
      readonly version: number
      readonly features: number
      readonly cluster: string
      readonly stream: StreamName
      readonly from: UniqueAddress
      readonly to: string
      readonly nonce: Uint8Array
    }
  | {
      readonly type: 'Challenge'
      readonly version: number
      readonly features: number
      readonly from: UniqueAddress
      readonly nonce: Uint8Array
      readonly proof: Uint8Array
    }
  | { readonly type: 'Proof'; readonly proof: Uint8Array }

export interface Identity {
  readonly cluster: string
  readonly self: UniqueAddress
  /** At least 16 bytes; undefined: this cluster has none. */
  readonly secret: Uint8Array | undefined
}

export type HandshakeResult =
  | { readonly type: 'Send'; readonly frame: Uint8Array }
  /** The dialler is done: send the frame, then the link carries messages. */
  | { readonly type: 'Opened'; readonly frame: Uint8Array; readonly peer: UniqueAddress }
  /** The acceptor is done: the link brings messages of `peer` on `stream`. */
  | { readonly type: 'Accepted'; readonly peer: UniqueAddress; readonly stream: StreamName }
  | { readonly type: 'Refused'; readonly code: number; readonly reason: string }

export class DiallerHandshake {
  readonly #identity: Identity
  readonly #hello: Uint8Array

  constructor(identity: Identity, to: string, stream: StreamName, nonce: Uint8Array) {
    this.#identity = identity
    this.#hello = encode(handshakeCodec, {
      type: 'Hello',
      magic: MAGIC,
      version: PROTOCOL_VERSION,
      features: FEATURES,
      cluster: identity.cluster,
      stream,
      from: identity.self,
      to,
      nonce,
    })
  }

  start(): Uint8Array {
    return this.#hello
  }

  receive(frame: Uint8Array): HandshakeResult {
    const message = decodeHandshake(frame)
    if (message?.type !== 'Challenge') return refuse(MALFORMED, 'expected a Challenge')
    const expected = proof(this.#identity.secret, ACCEPTOR, this.#hello, unproven(message))
    if (!equalBytes(message.proof, expected)) {
      return refuse(NOT_AUTHENTIC, 'the other node does not know the same cluster secret')
    }
    const answer = encode(handshakeCodec, {
      type: 'Proof',
      proof: proof(this.#identity.secret, DIALLER, this.#hello, unproven(message)),
    })
    return { type: 'Opened', frame: answer, peer: message.from }
  }
}

export class AcceptorHandshake {
  readonly #identity: Identity
  readonly #nonce: Uint8Array
  #hello:
    | { readonly frame: Uint8Array; readonly stream: StreamName; readonly from: UniqueAddress }
    | undefined
  #challenge: Uint8Array | undefined

  constructor(identity: Identity, nonce: Uint8Array) {
    this.#identity = identity
    this.#nonce = nonce
  }

  receive(frame: Uint8Array): HandshakeResult {
    const message = decodeHandshake(frame)
    if (message === undefined) return refuse(MALFORMED, 'this is not a Troupe handshake')
    if (this.#hello === undefined) return this.#greeted(message, frame)
    return this.#proven(message)
  }

  #greeted(message: HandshakeMessage, frame: Uint8Array): HandshakeResult {
    if (message.type !== 'Hello') return refuse(MALFORMED, 'expected a Hello')
    const { self, cluster, secret } = this.#identity
    if (message.version !== PROTOCOL_VERSION) {
      return refuse(
        WRONG_VERSION,
        `protocol version ${message.version}, this node speaks ${PROTOCOL_VERSION}`,
      )
    }
    if (message.cluster !== cluster) {
      return refuse(WRONG_CLUSTER, `this node belongs to another cluster than ${message.cluster}`)
    }
    if (message.to !== self.address) {
      return refuse(WRONG_ADDRESS, `this node is ${self.address}, not ${message.to}`)
    }
    if (message.from.uid === self.uid)
      return refuse(WRONG_ADDRESS, 'a node does not link to itself')
    const challenge = {
      type: 'Challenge' as const,
      version: PROTOCOL_VERSION,
      features: FEATURES,
      from: self,
      nonce: this.#nonce,
      proof: NO_PROOF,
    }
    this.#challenge = unproven(challenge)
    this.#hello = { frame: frame.slice(), stream: message.stream, from: message.from }
    const signed = { ...challenge, proof: proof(secret, ACCEPTOR, frame, this.#challenge) }
    return { type: 'Send', frame: encode(handshakeCodec, signed) }
  }

  #proven(message: HandshakeMessage): HandshakeResult {
    const hello = this.#hello
    const challenge = this.#challenge
    if (message.type !== 'Proof' || hello === undefined || challenge === undefined) {
      return refuse(MALFORMED, 'expected a Proof')
    }
    const expected = proof(this.#identity.secret, DIALLER, hello.frame, challenge)
    if (!equalBytes(message.proof, expected)) {
      return refuse(NOT_AUTHENTIC, 'the cluster secret of the dialling node is another one')
    }
    return { type: 'Accepted', peer: hello.from, stream: hello.stream }
  }
}

/** What was said before a proof: the Hello, and the Challenge without its proof. */
function proof(
  secret: Uint8Array | undefined,
  role: string,
  hello: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  if (secret === undefined) return NO_PROOF
  const transcript = createHash('sha256').update(hello).update(challenge).digest()
  return createHmac('sha256', secret).update(role).update(transcript).digest()
}

function unproven(challenge: HandshakeMessage & { readonly type: 'Challenge' }): Uint8Array {
  return encode(handshakeCodec, { ...challenge, proof: NO_PROOF })
}

function decodeHandshake(frame: Uint8Array): HandshakeMessage | undefined {
  if (frame.length > HANDSHAKE_FRAME_BYTES_MAX) return undefined
  try {
    return decode(handshakeCodec, frame)
  } catch {
    return undefined
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function refuse(code: number, reason: string): HandshakeResult {
  return { type: 'Refused', code, reason }
}

/** Rises when frames change so that older nodes cannot read them. */
const PROTOCOL_VERSION = 1
/** One bit for each optional ability; none yet. */
const FEATURES = 0
const MAGIC = 'troupe'
const ACCEPTOR = 'acceptor'
const DIALLER = 'dialler'
const NO_PROOF = new Uint8Array(0)

/** Close codes; the numbers are part of the protocol. */
export const NOT_GREETED_IN_TIME = 4001
export const MALFORMED = 4002
const WRONG_VERSION = 4002
const WRONG_CLUSTER = 4003
export const NOT_AUTHENTIC = 4004
const WRONG_ADDRESS = 4005

/** Six bytes that say which protocol this is: whoever talks another one is known at once. */
const magicCodec: Codec<typeof MAGIC> = {
  write: (writer) => {
    for (const letter of MAGIC) writer.byte(letter.charCodeAt(0))
  },
  read: (reader) => {
    for (const letter of MAGIC) {
      if (reader.byte() !== letter.charCodeAt(0))
        throw new WireError('MALFORMED', 'another protocol')
    }
    return MAGIC
  },
}

const handshakeCodec: Codec<HandshakeMessage> = union<HandshakeMessage>({
  Hello: record<HandshakeMessage & { type: 'Hello' }>({
    type: literal('Hello'),
    magic: magicCodec,
    version: uint(),
    features: uint(),
    cluster: string({ maxBytes: 100 }),
    stream: oneOf(STREAM_NAMES),
    from: uniqueAddressCodec,
    to: string({ maxBytes: 300 }),
    nonce: bytes({ maxBytes: 32 }),
  }),
  Challenge: record<HandshakeMessage & { type: 'Challenge' }>({
    type: literal('Challenge'),
    version: uint(),
    features: uint(),
    from: uniqueAddressCodec,
    nonce: bytes({ maxBytes: 32 }),
    proof: bytes({ maxBytes: 32 }),
  }),
  Proof: record<HandshakeMessage & { type: 'Proof' }>({
    type: literal('Proof'),
    proof: bytes({ maxBytes: 32 }),
  }),
})
