import { ByteWriter } from '@troupe/crdt/wire'
import { describe, expect, it } from 'vitest'
import { BatchReader, BatchWriter } from './batch.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values)

/** A reader that writes down what it delivers to whom, and whom it had to look up. */
function reader() {
  const delivered: [target: string, message: number[]][] = []
  const resolved: string[] = []
  const learnt: number[][] = []
  const batch = new BatchReader(
    (target) => {
      resolved.push(target)
      return (frame, start, end) => delivered.push([target, [...frame.subarray(start, end)]])
    },
    (news) => learnt.push([...news]),
  )
  return { delivered, resolved, learnt, read: (frame: Uint8Array) => batch.read(frame) }
}

describe('a batch', () => {
  it('delivers its messages in order', () => {
    const writer = new BatchWriter()
    writer.add('x', bytes(1))
    writer.add('y', bytes(2, 3))
    writer.add('x', bytes())
    const { delivered, read } = reader()

    expect(writer.count).toBe(3)
    read(writer.take())

    expect(delivered).toEqual([
      ['x', [1]],
      ['y', [2, 3]],
      ['x', []],
    ])
    expect(writer.count).toBe(0)
    expect(writer.bytes).toBe(0)
  })

  it('names a target once per link, over all frames', () => {
    const writer = new BatchWriter()
    const { resolved, delivered, read } = reader()
    const target = 'a/user/somebody-with-a-long-name#17'
    writer.add(target, bytes(1))
    read(writer.take())

    writer.add(target, bytes(2))
    const second = writer.take()
    read(second)

    expect(second).toHaveLength(3)
    expect(resolved).toEqual([target])
    expect(delivered).toHaveLength(2)
  })

  it('names targets in place that are used only once, and keeps no number for them', () => {
    const writer = new BatchWriter()
    const { resolved, read } = reader()
    for (let i = 0; i < 3; i++) {
      writer.addOnce('a/temp/q1#0', bytes(i))
      read(writer.take())
    }

    expect(resolved).toHaveLength(3)
  })

  it('hands over records at their place among the messages', () => {
    const writer = new BatchWriter()
    const { learnt, delivered, read } = reader()
    writer.add('x', bytes(1))
    writer.addRecords(bytes(9, 9))
    writer.add('x', bytes(2))

    read(writer.take())

    expect(learnt).toEqual([[9, 9]])
    expect(delivered).toHaveLength(2)
  })

  it('starts the numbers anew when there are too many, on both ends', () => {
    const writer = new BatchWriter()
    const { delivered, read } = reader()
    for (let i = 0; i < 70_000; i++) {
      writer.add(`t${i}`, bytes(1))
      if (i % 1_000 === 0) read(writer.take())
    }
    writer.add('t69999', bytes(7))
    writer.add('t0', bytes(8))
    read(writer.take())

    expect(delivered).toHaveLength(70_002)
    expect(delivered.at(-2)).toEqual(['t69999', [7]])
    expect(delivered.at(-1)).toEqual(['t0', [8]])
  })

  it('belongs to its receiver: the writer may go on', () => {
    const writer = new BatchWriter()
    writer.add('x', bytes(1))
    const frame = writer.take()
    const before = [...frame]

    writer.add('y', bytes(2, 2, 2, 2, 2, 2))

    expect([...frame]).toEqual(before)
  })

  it.each([
    ['an unknown number', bytes(50, 0)],
    ['a message cut off', bytes(0, 1, 0x78, 4, 9, 1)],
    ['a name cut off', bytes(0, 5, 0x78)],
    ['a number without end', bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['a name that is no text', bytes(0, 2, 0xc3, 0x28)],
  ])('with %s is refused as a whole from there on', (_, frame) => {
    const { delivered, read } = reader()

    expect(() => read(frame)).toThrow()
    expect(delivered).toEqual([])
  })

  it('does not keep numbers without end', () => {
    const frame = new ByteWriter()
    for (let i = 0; i < 65_537; i++) {
      frame.uint(0)
      frame.string(`${i}`)
    }

    expect(() => reader().read(frame.finish())).toThrow('too many targets')
  })
})
