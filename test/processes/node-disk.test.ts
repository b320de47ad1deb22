import { nodePlatform } from '@troupe/actor'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (content: Uint8Array | undefined): string | undefined =>
  content && new TextDecoder().decode(content)

describe('the disk of a Node process', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-disk-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const diskIn = (name: string) => nodePlatform({ folder: join(folder, name) }).disk

  it('makes its folder when something is first written, not before', async () => {
    const disk = diskIn('data')

    expect(await disk.read('shard/1')).toBeUndefined()
    expect(existsSync(join(folder, 'data'))).toBe(false)
    await disk.replace('shard/1', bytes('x'))

    expect(readFileSync(join(folder, 'data/shard/1'), 'utf8')).toBe('x')
  })

  it('is read by the next process', async () => {
    await diskIn('data').replace('a', bytes('one'))
    await diskIn('data').append('a', bytes(' two'))

    expect(textOf(await diskIn('data').read('a'))).toBe('one two')
  })

  it('replaces as a whole, and leaves no other files behind', async () => {
    const disk = diskIn('data')

    await disk.replace('a', bytes('a long old content'))
    await disk.replace('a', bytes('new'))

    expect(textOf(await disk.read('a'))).toBe('new')
    expect(readdirSync(join(folder, 'data'))).toEqual(['a'])
  })

  it('is not disturbed by what a crash left in the middle of a replacement', async () => {
    const disk = diskIn('data')
    await disk.replace('a', bytes('old'))
    writeFileSync(join(folder, 'data/a.new'), 'half of the ne')

    expect(textOf(await disk.read('a'))).toBe('old')
    await disk.replace('a', bytes('new'))

    expect(textOf(await disk.read('a'))).toBe('new')
    expect(readdirSync(join(folder, 'data'))).toEqual(['a'])
  })

  it('keeps the order of requests that nobody waits for', async () => {
    const disk = diskIn('data')

    const all = [
      disk.append('log', bytes('1')),
      disk.append('log', bytes('2')),
      disk.replace('log', bytes('0')),
      disk.append('log', bytes('3')),
    ]
    const read = disk.read('log')

    expect(textOf(await read)).toBe('03')
    await Promise.all(all)
  })

  it('goes on after a request that failed', async () => {
    const disk = diskIn('data')
    await disk.replace('a', bytes('x'))

    await expect(disk.replace('a/b', bytes('y'))).rejects.toThrow(/EEXIST|ENOTDIR/)

    expect(textOf(await disk.read('a'))).toBe('x')
  })

  it('removes files, also those that are not there', async () => {
    const disk = diskIn('data')
    await disk.replace('a', bytes('x'))

    await disk.remove('a')
    await disk.remove('a')

    expect(await disk.read('a')).toBeUndefined()
  })
})
