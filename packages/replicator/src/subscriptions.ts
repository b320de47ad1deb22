import type { Entry } from './replica-table.ts'

/** What a listener hears of a key. */
export interface Heard {
  readonly name: string
  readonly entry: Entry
  /** Names of the entries that changed since the last time. */
  readonly changed: Iterable<unknown>
}

export type Hear = (heard: Heard) => void

/**
 * Who wants to know about which keys. Changes are collected and told once per turn: however often a
 * key changed, its listeners hear of it once, with all that changed.
 *
 * Listeners to prefixes are found by the beginnings of the changed name, one look-up for each length
 * of prefix in use, so their cost does not grow with the number of keys or of listeners.
 */
export class Subscriptions {
  readonly #byName = new Map<string, Set<Hear>>()
  readonly #byPrefix = new Map<string, Set<Hear>>()
  /** How many prefixes of each length are in use. */
  readonly #lengths = new Map<number, number>()
  readonly #onError: (error: unknown) => void
  #changed = new Map<Entry, number>()

  /** `onError`: what a listener threw; the other listeners hear nothing of it. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Returns how to end the subscription. */
  subscribe(name: string, hear: Hear): () => void {
    return add(this.#byName, name, hear)
  }

  subscribePrefix(prefix: string, hear: Hear): () => void {
    const { length } = prefix
    if (!this.#byPrefix.has(prefix)) this.#lengths.set(length, (this.#lengths.get(length) ?? 0) + 1)
    const remove = add(this.#byPrefix, prefix, hear)
    return () => {
      if (!this.#byPrefix.has(prefix)) return
      remove()
      if (this.#byPrefix.has(prefix)) return
      const left = (this.#lengths.get(length) ?? 0) - 1
      if (left === 0) this.#lengths.delete(length)
      else this.#lengths.set(length, left)
    }
  }

  /** An entry changed; `since`: its change number before. True when somebody wants to know. */
  changed(entry: Entry, since: number): boolean {
    if (this.#byName.size === 0 && this.#byPrefix.size === 0) return false
    if (!this.#changed.has(entry)) this.#changed.set(entry, since)
    return true
  }

  /** Tells everybody what has changed since the last time. */
  flush(): void {
    if (this.#changed.size === 0) return
    const changed = this.#changed
    this.#changed = new Map()
    for (const [entry, since] of changed) {
      const listeners = this.#listenersOf(entry.name)
      if (listeners.length === 0) continue
      const heard = heardOf(entry, since)
      for (const hear of listeners) this.tell(hear, heard)
    }
  }

  tell(hear: Hear, heard: Heard): void {
    try {
      hear(heard)
    } catch (error) {
      this.#onError(error)
    }
  }

  #listenersOf(name: string): readonly Hear[] {
    const listeners = [...(this.#byName.get(name) ?? [])]
    for (const length of this.#lengths.keys()) {
      if (length <= name.length)
        listeners.push(...(this.#byPrefix.get(name.slice(0, length)) ?? []))
    }
    return listeners
  }
}

export function heardOf(entry: Entry, since: number): Heard {
  const changed = entry.value === undefined ? [] : [...entry.value.changedSince(since)]
  return { name: entry.name, entry, changed }
}

function add(all: Map<string, Set<Hear>>, name: string, hear: Hear): () => void {
  const listeners = all.get(name)
  if (listeners === undefined) all.set(name, new Set([hear]))
  else listeners.add(hear)
  return () => {
    const left = all.get(name)
    left?.delete(hear)
    if (left?.size === 0) all.delete(name)
  }
}
