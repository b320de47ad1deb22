/**
 * FNV-1a, 32 bits, over the UTF-8 bytes of `text` (Fowler, Noll, Vo). Returns an unsigned integer.
 *
 * Chosen for the buckets because its low bits differ even between `creative-1` and `creative-2`;
 * hashes whose low bits follow the last letter put runs of ids into one bucket.
 */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return overBytes(text)
    hash = Math.imul(hash ^ unit, 0x01000193)
  }
  return hash >>> 0
}

/** Ids are nearly always ASCII, so only the others pay for an encoder. */
function overBytes(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
