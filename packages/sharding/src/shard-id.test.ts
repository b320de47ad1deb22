import { describe, expect, it } from 'vitest'
import { checkEntityId, shardOf } from './shard-id.ts'

describe('the shard of an entity', () => {
  // Fixed for ever: nodes of different versions have to agree.
  it.each([
    ['a', 100, 68],
    ['site-1', 100, 32],
    ['Zürich', 100, 23],
    ['🦉', 100, 55],
    ['site-1', 7, 5],
  ])('of %j in %i shards is %i', (entityId, shards, shard) => {
    expect(shardOf(entityId, shards)).toBe(shard)
  })

  it('is spread evenly by ids that differ in little', () => {
    const counts = Array.from({ length: 100 }, () => 0)
    for (let i = 0; i < 100_000; i++) {
      const shard = shardOf(`campaign-${i}`, 100)
      counts[shard] = (counts[shard] ?? 0) + 1
    }

    expect(Math.min(...counts)).toBeGreaterThan(850)
    expect(Math.max(...counts)).toBeLessThan(1_150)
  })
})

describe('an entity id', () => {
  it.each(['42', 'a b', 'Zürich', '🦉', 'x'.repeat(256)])('may be %j', (entityId) => {
    expect(() => checkEntityId(entityId)).not.toThrow()
  })

  it.each(['', 'x'.repeat(257), 'a\nb', 'half \ud83e', '\udd89 half'])(
    'may not be %j',
    (entityId) => {
      expect(() => checkEntityId(entityId)).toThrow(
        expect.objectContaining({ code: 'INVALID_ENTITY_ID' }),
      )
    },
  )
})
