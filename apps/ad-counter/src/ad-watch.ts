import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { DistributedData } from '@troupe/replicator'
import type { ClientCommand } from './client.ts'
import { type Round, viewsOf } from './round.ts'

export type WatchCommand =
  /** A client that wants to hear when this ad has been shown often enough; at once, if it has. */
  | { readonly type: 'Follow'; readonly client: ActorRef<ClientCommand> }
  | { readonly type: 'Unfollow'; readonly client: ActorRef<ClientCommand> }

type Message = WatchCommand | { readonly type: 'Reached' } | { readonly type: 'GaveUp' }

/**
 * Stands beside one ad's counter on one node. A threshold read waits until the views known here have
 * reached the limit; then all clients that follow are told to stop showing the ad. Views only grow,
 * so what was reached stays reached, and those who come later are told as soon as they come.
 */
export function adWatch(round: Round, adId: string, timeoutMs: number): Behavior<WatchCommand> {
  return Behaviors.setup<Message>((context) => {
    const followers: ActorRef<ClientCommand>[] = []
    const ended = new AbortController()
    let isReached = false

    const enough = DistributedData.get(context.system).whenReached(
      viewsOf(round, adId),
      (views) => views.value >= round.limit,
      { timeoutMs, signal: ended.signal },
    )
    context.pipeToSelf(
      enough,
      () => ({ type: 'Reached' }),
      () => ({ type: 'GaveUp' }),
    )

    return Behaviors.receive<Message>(
      (message) => {
        switch (message.type) {
          case 'Follow':
            followers.push(message.client)
            if (isReached) message.client.tell({ type: 'StopShowing', adId })
            return Behaviors.same
          case 'Unfollow': {
            const place = followers.findIndex((each) => each.equals(message.client))
            if (place >= 0) followers.splice(place, 1)
            return Behaviors.same
          }
          case 'Reached':
            isReached = true
            for (const client of followers) client.tell({ type: 'StopShowing', adId })
            return Behaviors.same
          case 'GaveUp':
            context.log.debug({ adId, limit: round.limit }, 'limit not reached')
            return Behaviors.same
        }
      },
      (signal) => {
        if (signal.type === 'PostStop') ended.abort()
        return Behaviors.same
      },
    )
  })
}
