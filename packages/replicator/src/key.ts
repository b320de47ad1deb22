import {
  type Crdt,
  type CrdtType,
  GCounter,
  LWWMap,
  LWWRegister,
  ORSet,
  type ReadonlyGCounter,
  type ReadonlyLWWMap,
  type ReadonlyLWWRegister,
  type ReadonlyORSet,
} from '@troupe/crdt'
import { ReplicatorError } from './errors.ts'

declare const view: unique symbol

/**
 * Names one replicated value and its type: the same name on all nodes is the same value. `T` is what
 * updates change, `View` what readers see.
 */
export interface Key<in out T extends Crdt, out View> {
  readonly name: string
  readonly type: CrdtType<T>
  readonly [view]?: View
}

/** Some key, whatever its type. */
export interface AnyKey {
  readonly name: string
  readonly type: CrdtType<Crdt>
}

export const GCounterKey: { create(name: string): Key<GCounter, ReadonlyGCounter> } = {
  create: (name) => keyOf(name, GCounter),
}

export const LWWRegisterKey: {
  create<V>(name: string): Key<LWWRegister<V>, ReadonlyLWWRegister<V>>
} = {
  create: <V>(name: string) => keyOf<LWWRegister<V>, ReadonlyLWWRegister<V>>(name, LWWRegister),
}

export const LWWMapKey: {
  create<K extends string, V>(name: string): Key<LWWMap<K, V>, ReadonlyLWWMap<K, V>>
} = {
  create: <K extends string, V>(name: string) =>
    keyOf<LWWMap<K, V>, ReadonlyLWWMap<K, V>>(name, LWWMap),
}

export const ORSetKey: { create<E>(name: string): Key<ORSet<E>, ReadonlyORSet<E>> } = {
  create: <E>(name: string) => keyOf<ORSet<E>, ReadonlyORSet<E>>(name, ORSet),
}

/** A key for a value of any type; types beyond those built in also go into the settings of every node. */
export function keyOf<T extends Crdt, View>(name: string, type: CrdtType<T>): Key<T, View> {
  if (name.length >= 1 && name.length <= KEY_LENGTH_MAX) return { name, type }
  throw new ReplicatorError(
    'INVALID_KEY',
    `a key's name has 1 to ${KEY_LENGTH_MAX} characters, got ${name.length}`,
  )
}

export const KEY_LENGTH_MAX = 1_000
