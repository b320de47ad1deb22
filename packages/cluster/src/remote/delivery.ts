import type { ActorSystem } from '@troupe/actor'
import type { LocalRef, SystemCore } from '@troupe/actor/spi'
import { type Codec, decode } from '@troupe/crdt/wire'
import type { UniqueAddress } from '../node-address.ts'
import type { Deliver } from './batch.ts'
import type { LinkCounters } from './link-counters.ts'
import type { PayloadCodec } from './payload-codec.ts'
import type { Protocol } from './protocol.ts'
import { DeadRef } from './remote-ref.ts'

interface Service {
  readonly protocol: Protocol<never>
  readonly handle: (from: UniqueAddress, message: never) => void
}

/** Hands what arrives on links to the actors and services it is for. One bad message costs itself alone. */
export class Delivery {
  readonly #system: ActorSystem
  readonly #counters: LinkCounters
  readonly #services = new Map<string, Service>()

  constructor(system: ActorSystem, counters: LinkCounters) {
    this.#system = system
    this.#counters = counters
  }

  register<T>(protocol: Protocol<T>, handle: (from: UniqueAddress, message: T) => void): void {
    this.#services.set(protocol.name, { protocol, handle } as never)
  }

  /** Looks up what a target of `peer` stands for; asked once per target and link. */
  resolve(peer: UniqueAddress, target: string, payload: PayloadCodec): Deliver {
    return target.startsWith('p')
      ? this.#toService(peer, target.slice(1), payload)
      : this.#toActor(peer, target, payload)
  }

  /** A local actor can be reached from outside only if its ref has left the process before. */
  find(path: string, uid: number): LocalRef | DeadRef {
    const ref = (this.#system as SystemCore).find(path)
    if (ref !== undefined && ref.uid === uid && ref.isPublished) return ref
    return new DeadRef(this.#system, path, uid)
  }

  #toActor(peer: UniqueAddress, target: string, payload: PayloadCodec): Deliver {
    const hash = target.lastIndexOf('#')
    const ref = this.find(target.slice(1, hash), Number(target.slice(hash + 1)))
    return (frame, start, end) => {
      this.#counters.receivedMessage()
      let message: unknown
      try {
        message = payload.unpack(frame, start, end)
      } catch (error) {
        this.#undecodable(peer, ref.path, error)
        return
      }
      ref.tell(message)
    }
  }

  #toService(peer: UniqueAddress, name: string, payload: PayloadCodec): Deliver {
    let codec: Codec<never> | undefined
    let isWarned = false
    return (frame, start, end) => {
      this.#counters.receivedMessage()
      // Looked up each time: a service may start later than the link, and start again.
      const service = this.#services.get(name)
      if (service === undefined) {
        this.#counters.dropped('UnknownProtocol', 1)
        if (!isWarned) {
          this.#system.log.info(
            { from: peer.address, protocol: name },
            'protocol not spoken here yet',
          )
        }
        isWarned = true
        return
      }
      codec ??= service.protocol.codec(payload)
      let message: never
      try {
        message = decode(codec, frame.subarray(start, end))
      } catch (error) {
        this.#undecodable(peer, name, error)
        return
      }
      try {
        service.handle(peer, message)
      } catch (error) {
        // One message of one peer must not take the socket's callback down with it.
        this.#counters.dropped('ServiceFailed', 1)
        this.#system.log.error({ from: peer.address, protocol: name, err: error }, 'service failed')
      }
    }
  }

  #undecodable(peer: UniqueAddress, target: string, error: unknown): void {
    this.#counters.dropped('Undecodable', 1)
    this.#system.log.warn(
      { from: peer.address, target, err: error },
      'message could not be decoded',
    )
  }
}
