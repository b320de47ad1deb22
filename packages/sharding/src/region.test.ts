import type { UniqueAddress } from '@troupe/cluster'
import { describe, expect, it } from 'vitest'
import type { CoordinatorMessage, Envelope, RegionEffect } from './messages.ts'
import { Region } from './region.ts'

const a: UniqueAddress = { address: 'a:1', uid: 'A' }
const b: UniqueAddress = { address: 'b:1', uid: 'B' }
const c: UniqueAddress = { address: 'c:1', uid: 'C' }

const regionOnA = (options: { readonly isHosting?: boolean } = {}): Region =>
  new Region({ self: a, shards: 10, isHosting: options.isHosting ?? true })

const envelope = (shard: number, message: string): Envelope => ({ shard, entityId: 'x', message })

const home = (shard: number, node: UniqueAddress, epoch: number): CoordinatorMessage => ({
  type: 'Home',
  shard,
  home: { node, epoch },
})
const host = (shard: number, epoch: number): CoordinatorMessage => ({
  type: 'HostShard',
  shard,
  epoch,
})
const handOff = (shard: number, epoch: number): CoordinatorMessage => ({
  type: 'HandOff',
  shard,
  epoch,
})
const beginHandOff = (shard: number, node: UniqueAddress, epoch: number): CoordinatorMessage => ({
  type: 'BeginHandOff',
  shard,
  home: { node, epoch },
})

/** `Forward m1 to B`, `AskHome 3`, …: what a region has done, in words. */
function said(effects: readonly RegionEffect[]): readonly string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'ToCoordinator': {
        const { message } = effect
        if (message.type === 'Register' || message.type === 'Leaving') return message.type
        const epoch = message.type === 'ShardStopped' ? ` @${message.epoch}` : ''
        const by = message.type === 'Drained' ? ` by ${message.by.uid}` : ''
        return `${message.type} ${message.shard}${epoch}${by}`
      }
      case 'TellDrained':
        return `TellDrained ${effect.shard} to ${effect.to.uid}`
      case 'TellNotHere':
        return `TellNotHere ${effect.shard} to ${effect.to.uid}`
      case 'Deliver':
        return `Deliver ${String(effect.envelope.message)}`
      case 'Forward':
        return `Forward ${String(effect.envelope.message)} to ${effect.to.uid}`
      case 'StopEntities':
        return `StopEntities ${effect.shard}${effect.isHard ? ' hard' : ''}`
      default:
        return effect satisfies never
    }
  })
}

describe('a message for a shard whose home is not known', () => {
  it('is kept, and the coordinator asked once', () => {
    const region = regionOnA()

    expect(region.destination(3)).toBe('Keep')
    expect(said(region.keep(envelope(3, 'm1')))).toEqual(['AskHome 3'])
    expect(said(region.keep(envelope(3, 'm2')))).toEqual([])
    expect(region.keptCount).toBe(2)
  })

  it('goes on to the home in the order of arrival, and later ones directly', () => {
    const region = regionOnA()
    region.keep(envelope(3, 'm1'))
    region.keep(envelope(4, 'other'))
    region.keep(envelope(3, 'm2'))

    expect(said(region.receive(home(3, b, 1)))).toEqual(['Forward m1 to B', 'Forward m2 to B'])
    expect(region.destination(3)).toEqual(b)
    expect(region.keptCount).toBe(1)
  })

  it('is asked for again until there is an answer', () => {
    const region = regionOnA()
    region.keep(envelope(3, 'm1'))

    expect(said(region.retry())).toEqual(['AskHome 3'])
    expect(said(region.receive({ type: 'RegisterAck' }))).toEqual(['AskHome 3'])
    region.receive(home(3, b, 1))
    expect(said(region.retry())).toEqual([])
  })

  it('is delivered here once we are told to host the shard', () => {
    const region = regionOnA()
    region.keep(envelope(3, 'm1'))

    expect(said(region.receive(host(3, 1)))).toEqual(['Deliver m1'])
    expect(region.destination(3)).toBe('Here')
    expect(region.epochOf(3)).toBe(1)
  })

  it('is delivered here also when only the answer arrives, not the order to host', () => {
    const region = regionOnA()
    region.keep(envelope(3, 'm1'))

    expect(said(region.receive(home(3, a, 1)))).toEqual(['Deliver m1'])
    expect(said(region.receive(host(3, 1)))).toEqual([])
  })
})

describe('what a region believes', () => {
  it('is put right for nodes that sent messages here, once it is known where the shard lives', () => {
    const region = regionOnA()
    region.keep(envelope(3, 'm1'), b)
    region.keep(envelope(3, 'm2'), b)
    region.keep(envelope(3, 'm3'))

    expect(said(region.receive(home(3, c, 1)))).toEqual([
      'TellNotHere 3 to B',
      'Forward m1 to C',
      'Forward m2 to C',
      'Forward m3 to C',
    ])
  })

  it('is not called wrong when the order to host is only late', () => {
    const region = regionOnA()
    region.keep(envelope(3, 'm1'), b)

    expect(said(region.receive(host(3, 1)))).toEqual(['Deliver m1'])
  })

  it('is not changed by an older home', () => {
    const region = regionOnA()
    region.receive(home(3, b, 2))
    region.receive(home(3, c, 1))

    expect(region.destination(3)).toEqual(b)
  })

  it('ends when the home says that the shard is not there, but not when another node says so', () => {
    const region = regionOnA()
    region.receive(home(3, b, 1))
    region.notHere(c, 3)
    expect(region.destination(3)).toEqual(b)

    region.notHere(b, 3)
    expect(region.destination(3)).toBe('Keep')
  })

  it('ends when the node of the home is removed, for its shards only', () => {
    const region = regionOnA()
    region.receive(home(3, b, 1))
    region.receive(home(4, c, 1))
    region.nodeRemoved(b)

    expect(region.destination(3)).toBe('Keep')
    expect(region.destination(4)).toEqual(c)
  })
})

describe('when a shard moves', () => {
  it('a region keeps its messages and says so behind the last one it has sent', () => {
    const region = regionOnA()
    region.receive(home(3, b, 1))

    expect(said(region.receive(beginHandOff(3, b, 1)))).toEqual(['TellDrained 3 to B'])
    expect(region.destination(3)).toBe('Keep')
  })

  it('a late reminder does not make a region forget the new home', () => {
    const region = regionOnA()
    region.receive(home(3, c, 2))
    region.receive(beginHandOff(3, b, 1))

    expect(region.destination(3)).toEqual(c)
  })

  it('the old home works on until all have confirmed, then stops and keeps what comes', () => {
    const region = regionOnA()
    region.receive(host(3, 1))
    expect(said(region.receive(beginHandOff(3, a, 1)))).toEqual(['Drained 3 by A'])
    expect(said(region.drained(b, 3))).toEqual(['Drained 3 by B'])
    expect(region.destination(3)).toBe('Here')

    expect(said(region.receive(handOff(3, 1)))).toEqual(['StopEntities 3'])
    expect(region.destination(3)).toBe('Keep')
    expect(said(region.receive(handOff(3, 1)))).toEqual([])
  })

  it('what waited for an entity here comes before what came later, and all goes to the new home', () => {
    const region = regionOnA()
    region.receive(host(3, 1))
    region.receive(handOff(3, 1))
    region.keep(envelope(3, 'm3'))
    region.keepInFront(3, [envelope(3, 'm1'), envelope(3, 'm2')])

    expect(said(region.shardStopped(3))).toEqual(['ShardStopped 3 @1', 'AskHome 3'])
    expect(said(region.receive(home(3, b, 2)))).toEqual([
      'Forward m1 to B',
      'Forward m2 to B',
      'Forward m3 to B',
    ])
    expect(region.keptCount).toBe(0)
  })
})

describe('an epoch', () => {
  it('that has ended here does not begin again: the end is told once more', () => {
    const region = regionOnA()
    region.receive(host(3, 1))
    region.receive(handOff(3, 1))
    region.shardStopped(3)

    expect(said(region.receive(host(3, 1)))).toEqual(['ShardStopped 3 @1'])
    expect(said(region.receive(home(3, a, 1)))).toEqual(['ShardStopped 3 @1'])
    expect(said(region.receive(handOff(3, 1)))).toEqual(['ShardStopped 3 @1'])
    expect(region.destination(3)).toBe('Keep')
    expect(said(region.receive(host(3, 2)))).toEqual([])
    expect(region.destination(3)).toBe('Here')
  })

  it('that was handed off before we were told to host it never begins', () => {
    const region = regionOnA()

    expect(said(region.receive(handOff(3, 5)))).toEqual(['ShardStopped 3 @5'])
    expect(said(region.receive(host(3, 5)))).toEqual(['ShardStopped 3 @5'])
  })

  it('that is older than ours does not end ours', () => {
    const region = regionOnA()
    region.receive(host(3, 2))

    expect(said(region.receive(handOff(3, 1)))).toEqual([])
    expect(region.destination(3)).toBe('Here')
  })

  it('that is newer than the one we host begins only after the end of ours', () => {
    const region = regionOnA()
    region.receive(host(3, 1))

    expect(said(region.receive(host(3, 2)))).toEqual(['StopEntities 3'])
    expect(region.epochOf(3)).toBe(1)
    region.shardStopped(3)
    region.receive(host(3, 2))
    expect(region.epochOf(3)).toBe(2)
  })
})

describe('a region that must not host', () => {
  it('for a while ends everything at once, and what it is told to host meanwhile has to be told again', () => {
    const region = regionOnA()
    region.receive(host(3, 1))
    region.receive(host(4, 1))
    region.receive(handOff(4, 1))

    expect(said(region.pauseHosting())).toEqual(['StopEntities 3 hard', 'StopEntities 4 hard'])
    region.shardStopped(3)
    region.shardStopped(4)
    expect(said(region.receive(host(5, 1)))).toEqual([])
    expect(region.register().hosted.size).toBe(0)

    region.resumeHosting()
    region.receive(host(5, 1))
    expect(region.destination(5)).toBe('Here')
  })

  it('any more gives back every shard it is told to host, and still sends to others', () => {
    const region = regionOnA()
    region.endHosting()
    region.resumeHosting()

    expect(said(region.receive(host(3, 1)))).toEqual(['ShardStopped 3 @1'])
    region.receive(home(3, b, 2))
    expect(region.destination(3)).toEqual(b)
  })

  it('because its node only routes gives back every shard', () => {
    const region = regionOnA({ isHosting: false })

    expect(said(region.receive(host(3, 1)))).toEqual(['ShardStopped 3 @1'])
    expect(region.register()).toMatchObject({ isHosting: false })
  })
})

describe('a registration', () => {
  it('says what is hosted, in which epoch, and whether the node leaves', () => {
    const region = regionOnA()
    region.receive(host(3, 1))
    region.receive(host(4, 7))
    region.receive(handOff(4, 7))
    region.leave()

    expect(region.register()).toEqual({
      type: 'Register',
      shards: 10,
      hosted: new Map([
        [3, 1],
        [4, 7],
      ]),
      isHosting: true,
      isLeaving: true,
    })
  })
})

describe('a region that ends', () => {
  it('gives out all it has kept', () => {
    const region = regionOnA()
    region.keep(envelope(3, 'm1'))
    region.keep(envelope(4, 'm2'))

    expect(region.takeAllKept().map(({ message }) => message)).toEqual(['m1', 'm2'])
    expect(region.keptCount).toBe(0)
    expect(region.takeAllKept()).toEqual([])
  })
})
