import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import type { ClientCommand, Moved, ViewReply } from './client.ts'
import type { Step } from './plan.ts'

/** What came of one view request. */
export interface Visit {
  readonly client: string
  /** Undefined: there was nothing left to show. */
  readonly adId: string | undefined
  readonly wasOffline: boolean
}

export type Played =
  | { readonly type: 'Played'; readonly visits: readonly Visit[] }
  | { readonly type: 'PlayFailed'; readonly step: Step; readonly cause: unknown }

export interface VisitorsOptions {
  readonly plan: readonly Step[]
  readonly clients: ReadonlyMap<string, ActorRef<ClientCommand>>
  /** Between one step and the next, in milliseconds. */
  readonly pauseMs: number
  readonly replyTo: ActorRef<Played>
}

type Message =
  | { readonly type: 'Next' }
  | { readonly type: 'Answered'; readonly reply: ViewReply | Moved }
  | { readonly type: 'Unanswered'; readonly cause: unknown }

/** Plays a plan step by step, says what came of it, and stops. */
export function visitors(options: VisitorsOptions): Behavior<never> {
  const { plan, clients, pauseMs, replyTo } = options
  return Behaviors.setup<Message>((context) => {
    const visits: Visit[] = []
    const offline = new Set<string>()
    let next = 0

    const ask = (): Behavior<Message> => {
      const step = plan[next]
      if (step === undefined) {
        replyTo.tell({ type: 'Played', visits })
        return Behaviors.stopped
      }
      const client = clients.get(step.client)
      if (client === undefined) return fail(step, new RangeError(`no client ${step.client}`))
      context.ask<ClientCommand, ViewReply | Moved>(
        client,
        (answerTo) => ({ type: step.type, replyTo: answerTo }),
        { timeoutMs: ANSWER_TIMEOUT_MS },
        (reply) => ({ type: 'Answered', reply }),
        (cause) => ({ type: 'Unanswered', cause }),
      )
      return Behaviors.same
    }

    const record = (step: Step, reply: ViewReply | Moved): void => {
      const { client } = step
      if (step.type === 'GoOffline') offline.add(client)
      if (step.type === 'GoOnline') offline.delete(client)
      if (reply.type === 'Moved') return
      const adId = reply.type === 'Shown' ? reply.adId : undefined
      visits.push({ client, adId, wasOffline: offline.has(client) })
    }

    const fail = (step: Step, cause: unknown): Behavior<Message> => {
      replyTo.tell({ type: 'PlayFailed', step, cause })
      return Behaviors.stopped
    }

    context.self.tell({ type: 'Next' })
    return Behaviors.receive<Message>((message) => {
      const step = plan[next]
      switch (message.type) {
        case 'Next':
          return ask()
        case 'Answered':
          if (step !== undefined) record(step, message.reply)
          next++
          if (pauseMs > 0) context.timers.startSingleTimer('next', { type: 'Next' }, pauseMs)
          else context.self.tell({ type: 'Next' })
          return Behaviors.same
        case 'Unanswered':
          return step === undefined ? Behaviors.stopped : fail(step, message.cause)
      }
    })
  })
}

const ANSWER_TIMEOUT_MS = 5_000
