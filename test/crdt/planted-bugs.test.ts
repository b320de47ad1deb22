import { type Crdt, type Digest, type Replica } from '@troupe/crdt'
import { type ByteReader, type ByteWriter, WireError } from '@troupe/crdt/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { laws, type Subject } from './laws.ts'

/** Who tests the laws? A small counter with a bug of each kind, and the law that has to notice it. */
type Bug =
  | 'AddsWhenMerged'
  | 'LastOneWins'
  | 'AlwaysSaysChanged'
  | 'DeltaForgetsTheNewest'
  | 'SlicesForgetTheRest'
  | 'BytesInOrderOfArrival'
  | 'DigestOnlyOfTheSum'
  | 'DigestIsNotUpdated'
  | 'IncludesComparesSums'
  | 'ThrowsAnything'
  | 'ChangesBeforeItThrows'

const NOTICED_BY: readonly (readonly [Bug, string])[] = [
  ['AddsWhenMerged', 'merging is idempotent, and says so'],
  ['LastOneWins', 'merging is commutative'],
  ['AlwaysSaysChanged', 'merging is idempotent, and says so'],
  ['DeltaForgetsTheNewest', 'what changed since a number completes what was known at that number'],
  ['SlicesForgetTheRest', 'a state sent in small slices is the state, and slices come to an end'],
  ['BytesInOrderOfArrival', 'merging is commutative'],
  ['DigestOnlyOfTheSum', 'digests are equal exactly when contents are'],
  ['DigestIsNotUpdated', 'what is written reads back as the same'],
  ['IncludesComparesSums', 'a merge only adds knowledge'],
  [
    'ThrowsAnything',
    'bytes of anybody throw a WireError or are taken, and change nothing when they throw',
  ],
  [
    'ChangesBeforeItThrows',
    'bytes of anybody throw a WireError or are taken, and change nothing when they throw',
  ],
]

describe('the laws', { timeout: 300_000 }, () => {
  it('hold for the counter without a bug', () => {
    for (const [name, holds] of laws(subjectWith(undefined))) {
      expect(holds, name).not.toThrow()
    }
  })

  it.each(NOTICED_BY)('notice the bug %s', (bug, name) => {
    expect(laws(subjectWith(bug)).get(name)).toThrow()
  })
})

function subjectWith(bug: Bug | undefined): Subject<Tally> {
  return {
    type: { typeName: 'Tally', create: (replica) => new Tally(replica, bug) },
    operation: fc.integer({ min: 1, max: 3 }).map((by) => ({
      text: `add ${by}`,
      apply: (tally) => tally.add(by),
    })),
  }
}

/** Counts per replica, as simply as can be: slots in a map, changes in a log that is never cut. */
class Tally implements Crdt {
  readonly typeName = 'Tally'
  readonly #replica: Replica
  readonly #bug: Bug | undefined
  readonly #slots = new Map<string, number>()
  readonly #log: string[] = []
  #oldDigest: Digest | undefined

  constructor(replica: Replica, bug: Bug | undefined) {
    this.#replica = replica
    this.#bug = bug
  }

  get changes(): number {
    return this.#log.length
  }

  get digest(): Digest {
    let [high, low] = [0, 0]
    for (const [replica, count] of this.#slots) {
      high =
        this.#bug === 'DigestOnlyOfTheSum' ? high : (high ^ (count * replica.charCodeAt(8))) >>> 0
      low += this.#bug === 'DigestOnlyOfTheSum' ? 0 : count
    }
    if (this.#bug !== 'DigestIsNotUpdated') return { high, low }
    this.#oldDigest ??= { high, low: low + this.#log.length }
    return this.#oldDigest
  }

  add(by: number): void {
    this.#set(this.#replica.id, (this.#slots.get(this.#replica.id) ?? 0) + by)
  }

  writeChanges(writer: ByteWriter, since: number, bytesMax: number): number {
    const names = new Set(this.#log.slice(since))
    if (this.#bug === 'DeltaForgetsTheNewest' && names.size > 1)
      names.delete(this.#log.at(-1) ?? '')
    let written = 0
    for (const name of names) {
      if (this.#bug === 'SlicesForgetTheRest' && written * 12 > bytesMax) break
      this.#write(writer, name)
      written++
    }
    writer.string('')
    return this.#log.length
  }

  writeState(writer: ByteWriter): void {
    const names = [...this.#slots.keys()]
    if (this.#bug !== 'BytesInOrderOfArrival') names.sort()
    for (const name of names) this.#write(writer, name)
    writer.string('')
  }

  merge(reader: ByteReader): boolean {
    const read: [string, number][] = []
    let isChanged = false
    for (;;) {
      const name = reader.string(64)
      if (name === '') break
      const count = reader.uint()
      if (count === 0) throw this.#failure()
      if (this.#bug === 'ChangesBeforeItThrows') isChanged = this.#raise(name, count) || isChanged
      else read.push([name, count])
    }
    for (const [name, count] of read) isChanged = this.#raise(name, count) || isChanged
    return isChanged || this.#bug === 'AlwaysSaysChanged'
  }

  changedSince(since: number): Iterable<string> {
    return new Set(this.#log.slice(since))
  }

  includes(other: Tally): boolean {
    if (this.#bug === 'IncludesComparesSums') return this.toJSON() >= other.toJSON()
    return [...other.#slots].every(([name, count]) => (this.#slots.get(name) ?? 0) >= count)
  }

  toJSON(): number {
    return [...this.#slots.values()].reduce((sum, count) => sum + count, 0)
  }

  #raise(name: string, count: number): boolean {
    const known = this.#slots.get(name) ?? 0
    if (this.#bug === 'AddsWhenMerged') this.#set(name, known + count)
    else if (this.#bug === 'LastOneWins' ? count !== known : count > known) this.#set(name, count)
    else return false
    return true
  }

  #set(name: string, count: number): void {
    this.#slots.set(name, count)
    this.#log.push(name)
  }

  #write(writer: ByteWriter, name: string): void {
    writer.string(name)
    writer.uint(this.#slots.get(name) ?? 0)
  }

  #failure(): Error {
    return this.#bug === 'ThrowsAnything'
      ? new RangeError('a slot without a count')
      : new WireError('MALFORMED', 'a slot without a count')
  }
}
