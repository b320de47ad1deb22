import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { HybridClock, mergeState } from '@troupe/crdt'
import { DistributedData } from '@troupe/replicator'
import type { WatchCommand } from './ad-watch.ts'
import { OwnViews } from './own-views.ts'
import { type Round, viewsOf } from './round.ts'

export type ClientCommand =
  | { readonly type: 'View'; readonly replyTo: ActorRef<ViewReply> }
  | { readonly type: 'StopShowing'; readonly adId: string }
  | { readonly type: 'GoOffline'; readonly replyTo: ActorRef<Moved> }
  | { readonly type: 'GoOnline'; readonly replyTo: ActorRef<Moved> }
  /** Replies as soon as the client does not show the ad any more. */
  | { readonly type: 'AwaitStop'; readonly adId: string; readonly replyTo: ActorRef<Stopped> }

export type ViewReply =
  | { readonly type: 'Shown'; readonly adId: string }
  | { readonly type: 'NothingToShow' }
export interface Moved {
  readonly type: 'Moved'
}
export interface Stopped {
  readonly type: 'Stopped'
}

export interface ClientOptions {
  readonly name: string
  readonly round: Round
  /** The watches of the node this client talks to. */
  readonly watches: readonly ActorRef<WatchCommand>[]
}

/**
 * Shows the first ad that is left, and counts each view itself before it says so. Online it merges its
 * count upstream with every view; offline it goes on showing what it knows of, and merges everything
 * when it is back. It may show an ad more often than the limit while it has not heard of the others'
 * views: that is the price of not asking anybody. No view is ever lost.
 */
export function client({ name, round, watches }: ClientOptions): Behavior<ClientCommand> {
  return Behaviors.setup<ClientCommand>((context) => {
    const { system, self } = context
    const data = DistributedData.get(system)
    // Whoever counts again after it has lost its memory needs a new name: the system's uid is one.
    const own = new OwnViews(
      new HybridClock(`${name}-${system.uid}`, { wallMs: () => system.platform.clock.wallMs() }),
    )
    const left = new Set(round.adIds)
    const waiting: { readonly adId: string; readonly replyTo: ActorRef<Stopped> }[] = []
    let isOnline = true
    for (const watch of watches) watch.tell({ type: 'Follow', client: self })

    /** Merges all own counts into the node's replica, from where they spread. What fails comes with the next. */
    const mergeUpstream = async (): Promise<void> => {
      for (const [adId, state] of own.states()) {
        const reply = await data.update(viewsOf(round, adId), (views) => mergeState(views, state))
        if (reply.type !== 'UpdateSuccess') {
          context.log.warn({ adId, reason: reply.type }, 'views not merged upstream yet')
        }
      }
    }

    return Behaviors.receive<ClientCommand>(async (message) => {
      switch (message.type) {
        case 'View': {
          const [adId] = left
          if (adId === undefined) {
            message.replyTo.tell({ type: 'NothingToShow' })
            return Behaviors.same
          }
          own.add(adId)
          if (isOnline) await mergeUpstream()
          message.replyTo.tell({ type: 'Shown', adId })
          return Behaviors.same
        }
        case 'StopShowing':
          // Said while we were leaving: nobody who is offline hears it. It will be said again.
          if (!isOnline) return Behaviors.same
          left.delete(message.adId)
          for (const each of waiting) {
            if (each.adId === message.adId) each.replyTo.tell({ type: 'Stopped' })
          }
          return Behaviors.same
        case 'GoOffline':
          isOnline = false
          for (const watch of watches) watch.tell({ type: 'Unfollow', client: self })
          message.replyTo.tell({ type: 'Moved' })
          return Behaviors.same
        case 'GoOnline':
          isOnline = true
          await mergeUpstream()
          for (const watch of watches) watch.tell({ type: 'Follow', client: self })
          message.replyTo.tell({ type: 'Moved' })
          return Behaviors.same
        case 'AwaitStop':
          if (left.has(message.adId)) waiting.push(message)
          else message.replyTo.tell({ type: 'Stopped' })
          return Behaviors.same
      }
    })
  })
}
