import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'

describe('the package in a browser', () => {
  it('needs nothing but the language and the text encoder and decoder', async () => {
    const input = fileURLToPath(new URL('../../packages/crdt/src/index.ts', import.meta.url))
    const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' })
    const { output } = await bundle.generate({ format: 'iife', name: 'crdt' })
    const [{ code, imports }] = output
    // A realm of its own: no process, no Buffer, no timers.
    const browser = createContext({ TextEncoder, TextDecoder })
    runInContext(code, browser)

    const merged: unknown = runInContext(
      `
      const clock = (id) => new crdt.HybridClock(id, { wallMs: () => 1 })
      const [a, b] = ['a', 'b'].map((id) => crdt.LWWMap.create(clock(id)))
      a.put('greeting', { text: 'grüße' })
      b.put('count', 1)
      crdt.mergeState(b, crdt.encodeState(a))
      const set = crdt.ORSet.create(clock('a'))
      set.add(['x'])
      JSON.stringify([b, set, crdt.formatDigest(b.digest).length])
      `,
      browser,
    )

    expect(imports).toEqual([])
    expect(merged).toBe('[{"count":1,"greeting":{"text":"grüße"}},[["x"]],16]')
  })
})
