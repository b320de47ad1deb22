/** Left on in production: a broken invariant crashes one actor, and supervision decides. `why` says why it holds. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${why}`)
}
