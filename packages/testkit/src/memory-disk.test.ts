import { describe, expect, it } from 'vitest'
import { KeyedRandom } from './keyed-random.ts'
import { MemoryDisk } from './memory-disk.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (content: Uint8Array | undefined): string | undefined =>
  content && new TextDecoder().decode(content)

describe('a disk in memory', () => {
  it('reads what was written, and nothing where there is no file', async () => {
    const disk = new MemoryDisk()
    await disk.replace('a', bytes('one'))
    await disk.append('a', bytes(' two'))
    await disk.append('b', bytes('new'))

    expect(textOf(await disk.read('a'))).toBe('one two')
    expect(textOf(await disk.read('b'))).toBe('new')
    expect(await disk.read('c')).toBeUndefined()
    await disk.remove('a')
    await disk.remove('a')
    expect(await disk.read('a')).toBeUndefined()
  })

  it('keeps copies: changing the array afterwards changes nothing', async () => {
    const disk = new MemoryDisk()
    const content = bytes('abc')
    const written = disk.replace('a', content)
    content[0] = 0
    await written
    const read = await disk.read('a')
    read![1] = 0

    expect(textOf(await disk.read('a'))).toBe('abc')
  })

  it('serves requests in order, each when its latency is over', async () => {
    const waiting: (() => void)[] = []
    const disk = new MemoryDisk(() => new Promise((resolve) => waiting.push(resolve)))
    const done: string[] = []
    void disk.replace('a', bytes('1')).then(() => done.push('write'))
    void disk.read('a').then((content) => done.push(`read ${textOf(content)}`))
    await turns()
    expect(done).toEqual([])
    expect(waiting).toHaveLength(1)

    waiting.shift()?.()
    await turns()
    expect(done).toEqual(['write'])
    waiting.shift()?.()
    await turns()

    expect(done).toEqual(['write', 'read 1'])
  })

  it('loses in a crash what was not acknowledged, and never answers for it', async () => {
    const disk = new MemoryDisk()
    await disk.replace('a', bytes('kept'))
    let acknowledged = false
    void disk.replace('a', bytes('lost')).then(() => (acknowledged = true))

    disk.crash()
    await turns()

    expect(acknowledged).toBe(false)
    expect(textOf(await disk.read('a'))).toBe('kept')
  })

  it('keeps in a crash the old content or the new, and of an addition any beginning', async () => {
    const replaced = new Set<string | undefined>()
    const appended = new Set<string | undefined>()
    for (let seed = 0; seed < 60; seed++) {
      const disk = new MemoryDisk()
      await disk.replace('a', bytes('old'))
      void disk.replace('a', bytes('new'))
      disk.crash(new KeyedRandom(seed))
      replaced.add(textOf(await disk.read('a')))
      await disk.replace('log', bytes('x'))
      void disk.append('log', bytes('yz'))
      disk.crash(new KeyedRandom(seed))
      appended.add(textOf(await disk.read('log')))
    }

    expect(replaced).toEqual(new Set(['new', 'old']))
    expect(appended).toEqual(new Set(['x', 'xy', 'xyz']))
  })

  it('forgets everything when it is lost', async () => {
    const disk = new MemoryDisk()
    await disk.replace('a', bytes('1'))

    disk.clear()

    expect(await disk.read('a')).toBeUndefined()
  })
})

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}
