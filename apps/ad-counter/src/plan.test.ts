import { describe, expect, it } from 'vitest'
import { offlinePlan, onlinePlan, type PlanOptions } from './plan.ts'

const options: PlanOptions = { clients: ['a', 'b', 'c', 'd', 'e'], requests: 50, seed: 1 }

describe('a plan', () => {
  it('is the same for the same seed, and another one for another seed', () => {
    expect(onlinePlan(options)).toEqual(onlinePlan(options))
    expect(offlinePlan(options)).toEqual(offlinePlan(options))
    expect(onlinePlan({ ...options, seed: 2 })).not.toEqual(onlinePlan(options))
  })

  it('asks as often as it should, and everybody', () => {
    const plan = onlinePlan(options)

    expect(plan).toHaveLength(50)
    expect(new Set(plan.map(({ client }) => client))).toEqual(new Set(options.clients))
  })

  it('sends two clients away before the first request, and both come back, the second after the last', () => {
    const plan = offlinePlan(options)
    const [first, second] = plan
    const back = plan.flatMap((step, at) => (step.type === 'GoOnline' ? [[step.client, at]] : []))

    expect([first?.type, second?.type]).toEqual(['GoOffline', 'GoOffline'])
    expect(first?.client).not.toBe(second?.client)
    expect(back).toEqual([
      [first?.client, 32],
      [second?.client, 53],
    ])
  })

  it.each([1, 2, 3])('brings everybody back, of %d clients and with a single request', (count) => {
    const clients = options.clients.slice(0, count)
    for (const requests of [0, 1, 2, 10]) {
      const plan = offlinePlan({ clients, requests, seed: 3 })
      const away = plan.filter(({ type }) => type === 'GoOffline').map(({ client }) => client)
      const back = plan.filter(({ type }) => type === 'GoOnline').map(({ client }) => client)

      expect(back).toEqual(away)
      expect(away.length).toBeLessThan(count)
      expect(plan.filter(({ type }) => type === 'View')).toHaveLength(requests)
    }
  })
})
