import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { adWatch } from './ad-watch.ts'
import { client, type ClientCommand } from './client.ts'
import type { Step } from './plan.ts'
import type { Round } from './round.ts'
import { type Played, visitors } from './visitors.ts'

export type HostCommand =
  /** Starts a watch for each ad of the round, and these clients. */
  | {
      readonly type: 'Open'
      readonly round: Round
      readonly clients: readonly string[]
      readonly watchMs: number
      readonly replyTo: ActorRef<Opened>
    }
  | {
      readonly type: 'Play'
      readonly plan: readonly Step[]
      readonly clients: ReadonlyMap<string, ActorRef<ClientCommand>>
      readonly pauseMs: number
      readonly replyTo: ActorRef<Played>
    }

export interface Opened {
  readonly type: 'Opened'
  readonly clients: ReadonlyMap<string, ActorRef<ClientCommand>>
}

/** The root of one node of the program. Its system must be in a cluster before the first message. */
export function host(): Behavior<HostCommand> {
  return Behaviors.receive<HostCommand>((message, context) => {
    switch (message.type) {
      case 'Open': {
        const { round, watchMs } = message
        const watches = round.adIds.map((adId) =>
          context.spawn(adWatch(round, adId, watchMs), `${round.name}-${adId}`),
        )
        const clients = new Map<string, ActorRef<ClientCommand>>()
        for (const name of message.clients) {
          const behavior = client({ name: `${round.name}-${name}`, round, watches })
          clients.set(name, context.spawn(behavior, `${round.name}-${name}`))
        }
        message.replyTo.tell({ type: 'Opened', clients })
        return Behaviors.same
      }
      case 'Play':
        context.spawn(visitors(message))
        return Behaviors.same
    }
  })
}
