import { ShardingError } from './errors.ts'

/** A group of entities that lives and moves together: 0 to the number of shards - 1. */
export type ShardId = number

/** The shard of an entity: the same on every node, for ever, as long as the number of shards stays. FNV-1a, 32 bit. */
export function shardOf(entityId: string, shards: number): ShardId {
  let hash = 0x811c9dc5
  for (let i = 0; i < entityId.length; i++) {
    hash = Math.imul(hash ^ entityId.charCodeAt(i), 0x01000193)
  }
  // The low bits of FNV are its weakest, and `shards` is rarely prime.
  return ((hash ^ (hash >>> 15)) >>> 0) % shards
}

export function checkEntityId(entityId: string): void {
  const isLengthFine = entityId.length > 0 && entityId.length <= ENTITY_ID_MAX
  if (isLengthFine && isPlainText(entityId)) return
  throw new ShardingError(
    'INVALID_ENTITY_ID',
    `an entity id has 1 to ${ENTITY_ID_MAX} characters, without control characters and half surrogate pairs, ` +
      `got ${JSON.stringify(entityId.slice(0, 80))}`,
  )
}

/** Half a surrogate pair would come out of a link as another text, and so as another entity. */
function isPlainText(text: string): boolean {
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff)) return false
  }
  return true
}

export const ENTITY_ID_MAX = 256
