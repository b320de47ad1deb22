/** For the packages next door (replicator, sharding, testkit). May change without notice. */
export { byAge } from './membership/gossip.ts'
export { compareText, nodeKey, sameNode, uniqueAddressCodec } from './node-address.ts'
export { DeadRef } from './remote/remote-ref.ts'
export { type Protocol, type StreamName } from './remote/protocol.ts'
export { type Remoting } from './remote/remoting.ts'
export { webSocketNetwork } from './remote/websocket-network.ts'
