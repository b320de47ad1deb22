import { Behaviors, type Behavior } from '@troupe/actor'
import type { Catalog } from './catalog.ts'

export interface KeeperParts {
  readonly catalog: Catalog
  /** True on one node of the cluster: the others leave the work to it. */
  isChosen(): boolean
  wakeCampaign(campaignId: string): void
  wakeSite(siteId: string): void
  /** What only one node should do now and then. */
  tidy(): void
}

type Message = { readonly type: 'Look' } | { readonly type: 'Loaded' }

/**
 * Sees to it that every campaign and every site of the scenario has its entity running.
 *
 * An entity starts with its first message, and after the loss of a node nobody might write to those
 * that lived there. So one node sends each a word every few seconds; those that run ignore it.
 */
export function keeperActor(parts: KeeperParts): Behavior<never> {
  return Behaviors.setup<Message>((context) => {
    const release = parts.catalog.onLoad(() => context.self.tell({ type: 'Loaded' }))
    const { clock } = context.system.platform
    let roundAt = -Infinity
    context.timers.startTimerWithFixedDelay('look', { type: 'Look' }, LOOK_MS)
    return Behaviors.receive(
      (message) => {
        const now = clock.monotonicMs()
        const isDue = message.type === 'Loaded' || now - roundAt >= ROUND_MS
        if (!isDue || !parts.isChosen()) return Behaviors.same
        roundAt = now
        for (const campaignId of parts.catalog.campaignIds) parts.wakeCampaign(campaignId)
        for (const siteId of parts.catalog.siteIds) parts.wakeSite(siteId)
        parts.tidy()
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'PostStop' || signal.type === 'PreRestart') release()
        return Behaviors.same
      },
    )
  })
}

/** How soon a node that is chosen notices it. */
const LOOK_MS = 200
const ROUND_MS = 2_000
