import { type ActorRef, Behaviors } from '@troupe/actor'
import type { SimulatedNode } from '@troupe/testkit/cluster'

type Note = { readonly type: 'Note'; readonly text: string }

/** An actor that watches what it is told to, and everything it heard: texts, and the ends of others. */
export interface Watcher {
  readonly ref: ActorRef<Note>
  readonly heard: string[]
  watch(ref: ActorRef<never>): void
  unwatch(ref: ActorRef<never>): void
}

export function watcherOn(node: SimulatedNode, name = 'watcher'): Watcher {
  const heard: string[] = []
  const ref = node.system.systemActorOf<Note | Request>(
    Behaviors.receive(
      (message, context) => {
        if (message.type === 'Note') heard.push(message.text)
        else if (message.type === 'Watch') context.watch(message.ref)
        else context.unwatch(message.ref)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'Terminated') heard.push(`end of ${signal.ref.path}`)
        return Behaviors.same
      },
    ),
    name,
  )
  return {
    ref,
    heard,
    watch: (target) => ref.tell({ type: 'Watch', ref: target }),
    unwatch: (target) => ref.tell({ type: 'Unwatch', ref: target }),
  }
}

type Request = { readonly type: 'Watch' | 'Unwatch'; readonly ref: ActorRef<never> }

export type Order =
  | { readonly type: 'Say'; readonly texts: readonly string[]; readonly to: ActorRef<Note> }
  | { readonly type: 'Stop' }

/** Says what it is told to say, and stops when it is told to. */
export function speakerOn(node: SimulatedNode, name = 'speaker'): ActorRef<Order> {
  return node.system.systemActorOf(
    Behaviors.receive<Order>((order) => {
      if (order.type === 'Stop') return Behaviors.stopped
      for (const text of order.texts) order.to.tell({ type: 'Note', text })
      return Behaviors.same
    }),
    name,
  )
}
