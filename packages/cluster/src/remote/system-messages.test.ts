import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SystemInbox, SystemOutbox, type WatchMessage } from './system-messages.ts'

const watch = (targetPath: string): Omit<WatchMessage, 'number'> => ({
  kind: 'Watch',
  targetPath,
  targetUid: 1,
  subjectPath: '/user/watcher',
  subjectUid: 2,
})
const numbers = (messages: readonly WatchMessage[]): readonly number[] =>
  messages.map(({ number }) => number)

describe('what was sent and not acknowledged', () => {
  it('is numbered from one and kept in order', () => {
    const outbox = new SystemOutbox()

    expect(outbox.add(watch('a')).number).toBe(1)
    expect(outbox.add(watch('b')).number).toBe(2)
    expect(numbers(outbox.unacknowledged())).toEqual([1, 2])
  })

  it('is forgotten up to the number that was acknowledged', () => {
    const outbox = new SystemOutbox()
    for (const path of 'abcd') outbox.add(watch(path))

    outbox.acknowledged(3)
    outbox.acknowledged(1)

    expect(numbers(outbox.unacknowledged())).toEqual([4])
    expect(outbox.size).toBe(1)
  })

  it('is not forgotten because somebody acknowledges what was never sent', () => {
    const outbox = new SystemOutbox()
    outbox.add(watch('a'))

    outbox.acknowledged(99)

    expect(outbox.size).toBe(1)
  })

  it('can be asked for up to what still waits to be sent', () => {
    const outbox = new SystemOutbox()
    for (const path of 'abcd') outbox.add(watch(path))

    expect(numbers(outbox.unacknowledged(3))).toEqual([1, 2])
  })
})

describe('over a link that loses, doubles and delays', () => {
  it('every message is handed over exactly once and in order', () => {
    const fates = fc.array(fc.constantFrom('deliver', 'lose', 'double', 'ack'), { maxLength: 60 })

    fc.assert(
      fc.property(fates, (plan) => {
        const outbox = new SystemOutbox()
        const inbox = new SystemInbox()
        const handedOver: string[] = []
        const arrive = (message: WatchMessage): void => {
          if (inbox.accept(message)) handedOver.push(message.targetPath)
        }
        const sent: string[] = []
        for (const fate of plan) {
          const message = outbox.add(watch(`${sent.length}`))
          sent.push(message.targetPath)
          if (fate === 'deliver' || fate === 'double') arrive(message)
          if (fate === 'double') arrive(message)
          if (fate === 'ack') outbox.acknowledged(inbox.received)
        }
        while (outbox.size > 0) {
          for (const message of outbox.unacknowledged()) arrive(message)
          outbox.acknowledged(inbox.received)
        }

        expect(handedOver).toEqual(sent)
      }),
      { seed: 1 },
    )
  })
})
