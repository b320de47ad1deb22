import { TestKitError } from '../errors.ts'

/**
 * Keeps simulated code from learning anything of the real world.
 *
 * While a world runs, the clocks, timers and random numbers of the host throw when they are called:
 * one reading of the real clock, and the same seed no longer gives the same run. The first violation
 * is also reported, because an actor that fails only stops, and the test might not look.
 *
 * Whoever runs the tests needs the real clock meanwhile, so calls from vitest and from inside Node.js
 * pass. What code took out of the globals before the world began is out of reach.
 */
export class HostGuard {
  readonly #report: (error: Error) => void

  constructor(report: (error: Error) => void) {
    this.#report = report
  }

  /** Guards from now on; returns how to end it. A host that is guarded already is left as it is. */
  enter(): () => void {
    if (Object.hasOwn(globalThis.Math, GUARDED)) return () => {}
    const undo: (() => void)[] = []
    const replace = (owner: object, key: PropertyKey, value: unknown): void => {
      const before = Object.getOwnPropertyDescriptor(owner, key)
      Object.defineProperty(owner, key, {
        value,
        configurable: true,
        writable: true,
        enumerable: before?.enumerable ?? false,
      })
      undo.push(() => {
        if (before === undefined) Reflect.deleteProperty(owner, key)
        else Object.defineProperty(owner, key, before)
      })
    }
    replace(globalThis.Math, GUARDED, true)
    for (const [name, keys] of FORBIDDEN) {
      const owner = name === '' ? globalThis : (Reflect.get(globalThis, name) as object | undefined)
      if (owner === undefined) continue
      for (const key of keys) {
        const real = Reflect.get(owner, key) as unknown
        if (typeof real !== 'function') continue
        replace(owner, key, (...args: unknown[]): unknown => {
          this.#check(name === '' ? `${key}()` : `${name}.${key}()`)
          return Reflect.apply(real, owner, args)
        })
      }
    }
    replace(globalThis, 'Date', this.#guardedDate(Reflect.get(globalThis, 'Date') as object))
    return () => {
      for (const each of undo.reverse()) each()
    }
  }

  #guardedDate(real: object): unknown {
    return new Proxy(real as new (...args: unknown[]) => object, {
      construct: (target, args, newTarget) => {
        if (args.length === 0) this.#check('new Date()')
        return Reflect.construct(target, args, newTarget) as object
      },
      apply: (target, self, args) => {
        this.#check('Date()')
        return Reflect.apply(target as unknown as (...each: unknown[]) => unknown, self, args)
      },
    })
  }

  #check(what: string): void {
    const error = new TestKitError(
      'REAL_WORLD_IN_SIMULATION',
      `${what} was called in a simulated world; time, chance and timers come from system.platform ` +
        '(or from `clock` and `random` of the simulation)',
    )
    if (isOurs(error.stack ?? '')) return
    this.#report(error)
    throw error
  }
}

/** Whether the caller belongs to the host or to the test runner. */
function isOurs(stack: string): boolean {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const caller = frames.find((line) => !line.includes(OWN_FILE))
  return caller === undefined || HOSTS.test(caller)
}

const FORBIDDEN: readonly (readonly [owner: string, keys: readonly string[]])[] = [
  ['', ['setTimeout', 'setInterval', 'setImmediate']],
  ['Date', ['now']],
  ['Math', ['random']],
  ['performance', ['now']],
  ['crypto', ['getRandomValues', 'randomUUID']],
]
const GUARDED = Symbol.for('troupe.testkit.guarded')
const OWN_FILE = 'host-guard'
const HOSTS = /\bnode:|[\\/]node_modules[\\/](?:@?vitest|@vitest[\\/][^\\/]+)[\\/]/
