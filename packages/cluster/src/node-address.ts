import { type Codec, WireError } from '@troupe/crdt/wire'
import { clusterError } from './errors.ts'

/** One incarnation of one node. A restarted node has the same address and another uid. */
export interface UniqueAddress {
  /** `host:port`, as the others reach it. */
  readonly address: string
  readonly uid: string
}

/** A text that is equal exactly for the same incarnation; sorts by address first. */
export function nodeKey(node: UniqueAddress): string {
  return `${node.address}#${node.uid}`
}

/** The inverse of `nodeKey`. */
export function nodeOfKey(key: string): UniqueAddress {
  const hash = key.indexOf('#')
  return { address: key.slice(0, hash), uid: key.slice(hash + 1) }
}

export function sameNode(a: UniqueAddress, b: UniqueAddress): boolean {
  return a.uid === b.uid && a.address === b.address
}

/** Takes `host:port` apart; `[::1]:7000` for IPv6. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const match = address.length <= ADDRESS_LENGTH_MAX ? ADDRESS.exec(address) : null
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65_535) {
    throw clusterError('INVALID_ADDRESS', `expected host:port, got ${JSON.stringify(address)}`)
  }
  return { host: match[1] ?? match[2] ?? '', port }
}

/** True for what `parseAddress` takes. Addresses from other nodes are checked before they are dialled. */
export function isAddress(address: string): boolean {
  try {
    parseAddress(address)
    return true
  } catch {
    return false
  }
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/
const ADDRESS_LENGTH_MAX = 300
const UID_LENGTH_MAX = 64

/** An incarnation in the framework's own messages. What it reads can be dialled. */
export const uniqueAddressCodec: Codec<UniqueAddress> = {
  write: (writer, { address, uid }) => {
    writer.string(address)
    writer.string(uid)
  },
  read: (reader) => {
    const address = reader.string(ADDRESS_LENGTH_MAX)
    const uid = reader.string(UID_LENGTH_MAX)
    if (uid === '' || !isAddress(address))
      throw new WireError('MALFORMED', 'not an address of a node')
    return { address, uid }
  },
}

export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Compares by code units: the same order on every node, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
