import { GCounter, HybridClock, LWWMap } from '@troupe/crdt'
import { expect, it, vi } from 'vitest'
import { Entry } from './replica-table.ts'
import { type Hear, heardOf, Subscriptions } from './subscriptions.ts'

function counter(name: string): Entry {
  return new Entry(
    name,
    GCounter,
    GCounter.create(new HybridClock('A', { wallMs: () => 1_000_000 })),
  )
}

function count(entry: Entry): void {
  ;(entry.value as GCounter).increment()
}

function fixture() {
  const errors: unknown[] = []
  const subscriptions = new Subscriptions((error) => errors.push(error))
  const change = (entry: Entry): void => {
    const since = entry.changes
    count(entry)
    subscriptions.changed(entry, since)
  }
  return { subscriptions, errors, change }
}

it('tells of a key once per turn, with everything that changed in it', () => {
  const { subscriptions } = fixture()
  const clock = new HybridClock('A', { wallMs: () => 1_000_000 })
  const prices = LWWMap.create<string, number>(clock)
  const entry = new Entry('prices', LWWMap, prices)
  const hear = vi.fn<Hear>()
  subscriptions.subscribe('prices', hear)
  for (const name of ['apple', 'pear', 'apple', 'plum']) {
    const since = entry.changes
    prices.put(name, since)
    subscriptions.changed(entry, since)
  }
  subscriptions.flush()
  subscriptions.flush()

  expect(hear).toHaveBeenCalledOnce()
  expect(hear.mock.calls[0]?.[0].changed).toEqual(['pear', 'apple', 'plum'])
})

it('finds all prefixes of a name, of whatever length', () => {
  const { subscriptions, change } = fixture()
  const heard: string[] = []
  for (const prefix of ['', 's', 'site-1', 'site-1|', 'site-2', 'site-1|slot|bucket-70']) {
    subscriptions.subscribePrefix(prefix, ({ name }) => heard.push(`${prefix} → ${name}`))
  }
  change(counter('site-1|slot|bucket-7'))
  subscriptions.flush()

  expect(heard).toEqual([
    ' → site-1|slot|bucket-7',
    's → site-1|slot|bucket-7',
    'site-1 → site-1|slot|bucket-7',
    'site-1| → site-1|slot|bucket-7',
  ])
})

it('tells those who have left nothing more', () => {
  const { subscriptions, change } = fixture()
  const hear = vi.fn<Hear>()
  const ends = [subscriptions.subscribe('k', hear), subscriptions.subscribePrefix('k', hear)]
  for (const end of ends) end()
  for (const end of ends) end()

  change(counter('k'))
  subscriptions.flush()
  expect(hear).not.toHaveBeenCalled()
})

it('keeps a prefix while another listener wants it', () => {
  const { subscriptions, change } = fixture()
  const hear = vi.fn<Hear>()
  const end = subscriptions.subscribePrefix('k', () => {})
  subscriptions.subscribePrefix('k', hear)
  end()
  end()

  change(counter('k1'))
  subscriptions.flush()
  expect(hear).toHaveBeenCalledOnce()
})

it('keeps the failure of one listener from the others', () => {
  const { subscriptions, errors, change } = fixture()
  const hear = vi.fn<Hear>()
  const failure = new Error('listener failed')
  subscriptions.subscribe('k', () => {
    throw failure
  })
  subscriptions.subscribe('k', hear)
  change(counter('k'))
  subscriptions.flush()

  expect(hear).toHaveBeenCalledOnce()
  expect(errors).toEqual([failure])
})

it('names nothing as changed in a key that was deleted', () => {
  const entry = counter('k')
  count(entry)
  entry.delete()

  expect(heardOf(entry, 0).changed).toEqual([])
})
