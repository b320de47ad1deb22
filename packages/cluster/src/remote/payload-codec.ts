import {
  ActorCell,
  FunctionRef,
  internal,
  type LocalRef,
  PromiseRef,
  SystemCore,
} from '@troupe/actor/spi'
import {
  type ByteReader,
  type ByteWriter,
  type Codec,
  decode,
  encode,
  list,
  string,
} from '@troupe/crdt/wire'
import { addExtension, Packr, RESET_BUFFER_MODE, Unpackr } from 'msgpackr'
import { isAddress, type UniqueAddress } from '../node-address.ts'
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
 * link once. One codec per link and direction.
 *
 * New records do not travel inside the message that uses them first but beside it (`takeNewRecords`,
 * `learn`): a message that cannot be encoded or decoded leaves both ends in step, and costs nobody
 * but itself.
 *
 * Refs travel inside messages, wherever they stand. On the wire a ref says whose it is relative to
 * the link (mine, yours, somebody else's) and always names an incarnation.
 */
export class PayloadCodec implements Codec<unknown> {
  readonly #refs: RefTranslator
  #packer: Packr | undefined
  #unpacker: Unpackr | undefined
  /** Records of messages sent, and how many of them the other end was told. */
  #sent: readonly Fields[] = []
  #told = 0
  /** Records of messages received. The unpacker keeps what it makes of them in the lists themselves. */
  readonly #learnt: string[][] = []

  constructor(refs: RefTranslator) {
    this.#refs = refs
  }

  /** The bytes of a message; they are good until the next call. Throws when it cannot be encoded. */
  pack(message: unknown): Uint8Array {
    const packer = (this.#packer ??= newPacker((records) => void (this.#sent = records)))
    translator = this.#refs
    try {
      return packer.pack(message, RESET_BUFFER_MODE)
    } finally {
      translator = undefined
    }
  }

  /** Records the other end has to learn before the messages packed since the last call. */
  takeNewRecords(): Uint8Array | undefined {
    if (this.#sent.length === this.#told) return undefined
    const news = encode(recordsCodec, this.#sent.slice(this.#told))
    this.#told = this.#sent.length
    return news
  }

  /** Throws when `news` makes no sense; the link is of no use afterwards. */
  learn(news: Uint8Array): void {
    const records = decode(recordsCodec, news)
    if (this.#learnt.length + records.length > RECORDS_MAX)
      throw new RangeError('too many records on one link')
    for (const fields of records) this.#learnt.push([...fields])
  }

  /** The message that stands in `bytes` from `start` to `end`. Throws when it cannot be decoded. */
  unpack(bytes: Uint8Array, start = 0, end: number = bytes.length): unknown {
    const unpacker = (this.#unpacker ??= newUnpacker(() => [...this.#learnt]))
    translator = this.#refs
    range.start = start
    range.end = end
    try {
      return unpacker.unpack(bytes, range)
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
}

/** The names of a record's fields, in order. */
type Fields = readonly string[]

const RECORDS_MAX = 1_024
/** Objects with more fields are rather dictionaries than records; their names are not worth keeping. */
const RECORD_FIELDS_MAX = 64
const recordsCodec = list(list(string({ maxBytes: 65_536 }), { max: RECORD_FIELDS_MAX }), {
  max: RECORDS_MAX,
})

function newPacker(onNewRecords: (records: readonly Fields[]) => void): Packr {
  return new Packr({
    ...SETTINGS,
    structures: [],
    shouldShareStructure: (fields) =>
      fields.length <= RECORD_FIELDS_MAX && fields.every(isWritable),
    saveStructures: (records) => onNewRecords([...(records as unknown as readonly Fields[])]),
    // Without this a function becomes null on its way, silently.
    writeFunction: () => {
      throw new TypeError('a function cannot be sent to another node')
    },
  })
}

function newUnpacker(records: () => string[][]): Unpackr {
  return new Unpackr({ ...SETTINGS, getStructures: records })
}

function isWritable(field: string): boolean {
  return field.length < 10_000 && (field as string & { isWellFormed(): boolean }).isWellFormed()
}

const SETTINGS = {
  maxSharedStructures: RECORDS_MAX,
  maxOwnStructures: 512,
  moreTypes: true,
  mapsAsObjects: false,
  useBigIntExtension: true,
  copyBuffers: true,
}

// msgpackr keeps its extensions per process and calls them without any context, while a process may
// hold many systems. Packing is synchronous, so the translator of the link at work is put here for its duration.
let translator: RefTranslator | undefined

// Read at once by the unpacker, which wants an object: one for all instead of one for each message.
const range = { start: 0, end: 0 }

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
    if (translator !== undefined && uid === translator.peer.uid)
      return [YOURS, each.localPath, each.uid]
    return [THIRD, each.localPath, each.uid, address, uid]
  }
  const local = each as LocalRef | DeadRef
  local.publish()
  const { path } = local
  if (path.length > PATH_MAX) {
    throw new RangeError(
      `a path of ${path.length} characters is too long to be told to other nodes`,
    )
  }
  return [MINE, path, local.uid]
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
  if (typeof address !== 'string' || typeof nodeUid !== 'string' || !isAddress(address)) {
    throw new TypeError('malformed ref')
  }
  return nodeUid === translator.self.uid
    ? translator.local(path, uid as number)
    : translator.remote({ address, uid: nodeUid }, path, uid as number)
}

const PATH_MAX = 2_048
const REF_EXTENSION = 0x52

for (const RefClass of [ActorCell, FunctionRef, PromiseRef, SystemCore, RemoteRef, DeadRef]) {
  addExtension({ Class: RefClass, type: REF_EXTENSION, write: writeRef, read: readRef })
}
