import {
  ActorCell,
  FunctionRef,
  internal,
  type LocalRef,
  PromiseRef,
  SystemCore,
} from '@troupe/actor/spi'
import type { ByteReader, ByteWriter, Codec } from '@troupe/crdt/wire'
import { addExtension, Packr, Unpackr } from 'msgpackr'
import type { UniqueAddress } from '../node-address.ts'
import { DeadRef, RemoteRef } from './remote-ref.ts'

/** What a link knows about refs that travel over it. */
export interface RefTranslator {
  readonly self: UniqueAddress
  readonly peer: UniqueAddress
  /** The local actor of that incarnation, or a dead ref. */
  local(path: string, uid: number): LocalRef | DeadRef
  remote(node: UniqueAddress, path: string, uid: number): RemoteRef
}

/**
 * Messages of users as bytes: msgpackr with records, so that the names of a message's fields cross a
 * link once. One codec per link and direction: both ends learn the same records in the same order.
 *
 * Refs travel inside messages, wherever they stand. On the wire a ref says whose it is relative to
 * the link (mine, yours, somebody else's) and always names an incarnation.
 */
export class PayloadCodec implements Codec<unknown> {
  readonly #refs: RefTranslator
  #packer = new Packr(SETTINGS())
  #unpacker = new Unpackr(SETTINGS())

  constructor(refs: RefTranslator) {
    this.#refs = refs
  }

  /** The bytes of a message; they are good until the next call. Throws when it cannot be encoded. */
  pack(message: unknown): Uint8Array {
    translator = this.#refs
    try {
      return this.#packer.pack(message)
    } finally {
      translator = undefined
    }
  }

  unpack(bytes: Uint8Array): unknown {
    translator = this.#refs
    try {
      return this.#unpacker.unpack(bytes)
    } finally {
      translator = undefined
    }
  }

  // As a codec, for messages of users inside messages of the framework.

  write(writer: ByteWriter, message: unknown): void {
    writer.bytes(this.pack(message))
  }

  read(reader: ByteReader): unknown {
    return this.unpack(reader.view())
  }

  /**
   * Forgets the records of messages sent. Needed after a message that could not be encoded half-way:
   * the other end has not seen the records it would have introduced.
   */
  forgetSent(): void {
    this.#packer = new Packr(SETTINGS())
  }

  forgetReceived(): void {
    this.#unpacker = new Unpackr(SETTINGS())
  }
}

const SETTINGS = (): ConstructorParameters<typeof Packr>[0] => ({
  sequential: true,
  structures: [],
  maxSharedStructures: 0,
  maxOwnStructures: 512,
  moreTypes: true,
  mapsAsObjects: false,
  useBigIntExtension: true,
  int64AsType: 'auto' as never,
  copyBuffers: true,
})

// msgpackr keeps its extensions per process and calls them without any context, while a process may
// hold many systems. Packing is synchronous, so the translator of the link at work is put here for its duration.
let translator: RefTranslator | undefined

type WireRef =
  | readonly [owner: typeof MINE | typeof YOURS, path: string, uid: number]
  | readonly [owner: typeof THIRD, path: string, uid: number, address: string, nodeUid: string]
const MINE = 0
const YOURS = 1
const THIRD = 2

function writeRef(ref: object): WireRef {
  const each = internal(ref as never)
  if (each instanceof RemoteRef) {
    const { address, uid } = each.node
    if (translator !== undefined && uid === translator.peer.uid) return [YOURS, each.localPath, each.uid]
    return [THIRD, each.localPath, each.uid, address, uid]
  }
  if (each instanceof DeadRef) return [MINE, each.path, each.uid]
  const local = each as LocalRef
  local.publish()
  return [MINE, local.path, local.uid]
}

function readRef(wire: unknown): object {
  if (translator === undefined) throw new Error('a ref outside of a link')
  if (!Array.isArray(wire)) throw new TypeError('malformed ref')
  const [owner, path, uid, address, nodeUid] = wire as unknown[]
  if (typeof path !== 'string' || path.length > PATH_MAX || !Number.isSafeInteger(uid)) {
    throw new TypeError('malformed ref')
  }
  if (owner === MINE) return translator.remote(translator.peer, path, uid as number)
  if (owner === YOURS) return translator.local(path, uid as number)
  if (typeof address !== 'string' || typeof nodeUid !== 'string') throw new TypeError('malformed ref')
  return nodeUid === translator.self.uid
    ? translator.local(path, uid as number)
    : translator.remote({ address, uid: nodeUid }, path, uid as number)
}

const PATH_MAX = 2_048
const REF_EXTENSION = 0x52

for (const RefClass of [ActorCell, FunctionRef, PromiseRef, SystemCore, RemoteRef, DeadRef]) {
  addExtension({ Class: RefClass, type: REF_EXTENSION, write: writeRef, read: readRef })
}
