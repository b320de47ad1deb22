import type { AdHttp } from '../http/ad-http.ts'
import type { CampaignFigures, NodeMember, NodeStats } from '../node-protocol.ts'
import type { AdNode } from './ad-node.ts'

/** All figures of one node at this moment. Reading them costs about a millisecond: a few times a second is fine. */
export function nodeStats(name: string, node: AdNode, http: AdHttp, heapBytes: number): NodeStats {
  const { cluster, data, flat } = node
  const links = cluster.metrics
  const replication = data.metrics
  return {
    name,
    uid: cluster.self.uid,
    clusterAddress: cluster.self.address,
    members: membersOf(node),
    ...http.figures,
    indexEntries: flat.size,
    indexSlots: flat.slots,
    replicaDigest: data.digest(),
    replicaKeys: replication.keys,
    campaigns: [...campaignsOf(node)],
    dropped: droppedOf(node, http),
    sentBytes: links.bytesSent,
    receivedBytes: links.bytesReceived,
    gossipBytes: replication.bytesSent,
    shards: node.campaigns.state.shards.length + node.auctioneers.state.shards.length,
    entities: {
      campaign: node.campaigns.state.entities,
      auctioneer: node.auctioneers.state.entities,
    },
    heapBytes,
    scenarioNowMs: node.moment().scenarioMs,
  }
}

function membersOf({ cluster }: AdNode): NodeMember[] {
  const { members, unreachable } = cluster.state
  const away = new Set(unreachable.map(({ node }) => node.uid))
  return members.map(({ node, status }) => ({
    address: node.address,
    uid: node.uid,
    status,
    isReachable: !away.has(node.uid),
  }))
}

function* campaignsOf({ directory }: AdNode): Generator<CampaignFigures> {
  for (const record of directory.records())
    yield {
      campaignId: record.campaignId,
      advertiserId: record.advertiserId,
      status: record.status,
      revision: record.revision,
      budgetMicros: record.budgetMicros,
      spentMicros: record.spentMicros,
      outstandingMicros: record.outstandingMicros,
      day: record.day,
    }
}

/** Dead letters, what links lost of the framework's own messages, and what this node turned away. */
function droppedOf(
  { system, cluster, unfitEntries }: AdNode,
  http: AdHttp,
): Record<string, number> {
  const dropped = new Map(system.deadLetters.counts)
  for (const [reason, count] of cluster.metrics.dropped)
    if (!dropped.has(reason)) dropped.set(reason, count)
  if (unfitEntries > 0) dropped.set('UnfitIndexEntry', unfitEntries)
  if (http.connectionsDropped > 0) dropped.set('TooManyConnections', http.connectionsDropped)
  return Object.fromEntries(dropped)
}
