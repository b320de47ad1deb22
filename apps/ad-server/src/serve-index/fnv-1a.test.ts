import { describe, expect, it } from 'vitest'
import { fnv1a32 } from './fnv-1a.ts'

describe('FNV-1a with 32 bits', () => {
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('gives the published value of %j', (text, hash) => {
    expect(fnv1a32(text)).toBe(hash)
  })

  it('hashes the UTF-8 bytes of what is not ASCII', () => {
    let hash = 0x811c9dc5
    for (const byte of Buffer.from('ad-ü-広告')) hash = Math.imul(hash ^ byte, 0x01000193)

    expect(fnv1a32('ad-ü-広告')).toBe(hash >>> 0)
  })
})
