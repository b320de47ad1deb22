import type { ActorSystem } from '@troupe/actor'
import type { InternalRef, SystemMessage } from '@troupe/actor/spi'
import { describe, expect, it } from 'vitest'
import { RemoteRef } from './remote-ref.ts'
import { RemoteWatch } from './remote-watch.ts'

const B = { address: 'b:1', uid: 'first' }
const AGAIN = { address: 'b:1', uid: 'second' }
const transport = { system: {} as ActorSystem, tell: () => {}, tellSystem: () => {} }
const remote = (node = B, uid = 1): RemoteRef => new RemoteRef(transport, node, '/user/x', uid)

/** A local actor that writes down the signals it gets. */
function actor(name: string): { readonly ref: InternalRef; readonly heard: string[] } {
  const heard: string[] = []
  const ref = {
    path: `/user/${name}`,
    uid: 1,
    identity: name,
    tellSystem: (message: SystemMessage) => {
      const { path, uid } = message.ref as RemoteRef
      heard.push(`${message.type} ${path}#${uid}`)
    },
  }
  return { ref: ref as unknown as InternalRef, heard }
}

describe('our watchers', () => {
  it('hear once of the end of an actor, each of them', () => {
    const watch = new RemoteWatch()
    const [one, two] = [actor('one'), actor('two')]
    watch.add(one.ref, remote())
    watch.add(two.ref, remote())

    watch.terminated(remote())
    watch.terminated(remote())
    watch.nodeRemoved(B)

    expect(one.heard).toEqual(['DeathNotice troupe://b:1/user/x#1'])
    expect(two.heard).toEqual(one.heard)
  })

  it('hear nothing after they have stopped watching', () => {
    const watch = new RemoteWatch()
    const [one, two] = [actor('one'), actor('two')]
    watch.add(one.ref, remote())
    watch.add(two.ref, remote())

    watch.remove(one.ref, remote())
    watch.terminated(remote())

    expect(one.heard).toEqual([])
    expect(two.heard).toHaveLength(1)
  })

  it('hear of all actors of a node that was removed, and of no others', () => {
    const watch = new RemoteWatch()
    const one = actor('one')
    const elsewhere = remote({ address: 'c:1', uid: 'c' })
    watch.add(one.ref, remote(B, 1))
    watch.add(one.ref, remote(B, 2))
    watch.add(one.ref, elsewhere)

    watch.nodeRemoved(B)

    expect(one.heard).toEqual([
      'DeathNotice troupe://b:1/user/x#1',
      'DeathNotice troupe://b:1/user/x#2',
    ])
  })

  it('hear of an incarnation when another one has started at its address', () => {
    const watch = new RemoteWatch()
    const one = actor('one')
    watch.add(one.ref, remote(B))
    watch.add(one.ref, remote(AGAIN))

    watch.nodeStarted(AGAIN)

    expect(one.heard).toHaveLength(1)
    watch.nodeRemoved(AGAIN)
    expect(one.heard).toHaveLength(2)
  })
})

describe('watchers of other nodes', () => {
  it('are forgotten by our actors when their node is removed', () => {
    const watch = new RemoteWatch()
    const target = actor('target')
    watch.watchedBy(remote(B, 1), target.ref)
    watch.watchedBy(remote(B, 2), target.ref)

    watch.nodeRemoved(B)

    expect(target.heard).toEqual([
      'Watch troupe://b:1/user/x#1',
      'Watch troupe://b:1/user/x#2',
      'Unwatch troupe://b:1/user/x#1',
      'Unwatch troupe://b:1/user/x#2',
    ])
  })

  it('are not kept after they have unwatched, or after the end', () => {
    const watch = new RemoteWatch()
    const target = actor('target')
    watch.watchedBy(remote(B, 1), target.ref)
    watch.watchedBy(remote(B, 2), target.ref)
    watch.unwatchedBy(remote(B, 1), target.ref)
    watch.ended(remote(B, 2), target.ref)
    target.heard.length = 0

    watch.nodeRemoved(B)

    expect(target.heard).toEqual([])
  })
})
