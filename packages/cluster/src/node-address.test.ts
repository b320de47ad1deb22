import { ByteReader, ByteWriter } from '@troupe/crdt/wire'
import { describe, expect, it } from 'vitest'
import {
  formatAddress,
  isAddress,
  nodeKey,
  nodeOfKey,
  parseAddress,
  sameNode,
  uniqueAddressCodec,
} from './node-address.ts'

describe('an address', () => {
  it.each([
    ['localhost:7000', 'localhost', 7000],
    ['10.0.0.1:1', '10.0.0.1', 1],
    ['node-1.example.org:65535', 'node-1.example.org', 65_535],
    ['[::1]:7000', '::1', 7000],
  ])('%s is taken apart and put together again', (address, host, port) => {
    expect(parseAddress(address)).toEqual({ host, port })
    expect(formatAddress(host, port)).toBe(address)
  })

  it.each([
    '',
    'localhost',
    ':7000',
    'localhost:0',
    'localhost:65536',
    'a b:7000',
    'a/b:7000',
    'user@host:7000',
    '::1:7000',
    'localhost:7000x',
    `${'x'.repeat(300)}:7000`,
  ])('%j is refused', (address) => {
    expect(isAddress(address)).toBe(false)
    expect(() => parseAddress(address)).toThrow('expected host:port')
  })
})

describe('an incarnation', () => {
  it('is the same only with the same uid at the same address', () => {
    const a = { address: 'a:1', uid: 'x' }

    expect(sameNode(a, { address: 'a:1', uid: 'x' })).toBe(true)
    expect(sameNode(a, { address: 'a:1', uid: 'y' })).toBe(false)
    expect(sameNode(a, { address: 'b:1', uid: 'x' })).toBe(false)
  })

  it('comes back from its key', () => {
    const node = { address: '[::1]:7000', uid: 'ab#c' }

    expect(nodeOfKey(nodeKey(node))).toEqual(node)
  })

  it('is read from bytes only when it can be dialled', () => {
    const read = (address: string, uid: string): unknown => {
      const writer = new ByteWriter()
      writer.string(address)
      writer.string(uid)
      return uniqueAddressCodec.read(new ByteReader(writer.finish()))
    }

    expect(read('a:1', 'x')).toEqual({ address: 'a:1', uid: 'x' })
    expect(() => read('nowhere', 'x')).toThrow('not an address')
    expect(() => read('a:1', '')).toThrow('not an address')
    expect(() => read('a:1', 'x'.repeat(65))).toThrow()
  })
})
