import type { HistogramSnapshot } from './latency-histogram.ts'
import type { Scenario } from './scenario.ts'

/**
 * What a node's process and the process that started it say to each other, over the IPC channel of
 * `child_process.fork`. Everything is plain data, so both serializations of Node carry it.
 *
 * The launcher forks `ad-node-process.ts` with no arguments and sends `Start` first. The node answers
 * `Ready` once its ports are bound, or `Failed` with one sentence for people and exits with 1. From then
 * on it sends `Stats` every half second until it ends. A node whose channel closes ends at once: no
 * launcher, no nodes.
 */
export type LauncherMessage =
  | { readonly type: 'Start'; readonly config: NodeConfig }
  /** Replaces the scenario. Idempotent; may be sent to one node or to all. */
  | { readonly type: 'LoadScenario'; readonly scenario: Scenario }
  /** Leave the cluster in order, answer what is under way, exit with 0. */
  | { readonly type: 'Shutdown' }

export type NodeMessage =
  | {
      readonly type: 'Ready'
      readonly name: string
      readonly pid: number
      readonly clusterPort: number
      readonly httpPort: number
    }
  | { readonly type: 'Failed'; readonly code: string; readonly reason: string }
  | ({ readonly type: 'Stats' } & NodeStats)

export interface NodeConfig {
  /** For people: `node-1`. */
  readonly name: string
  /** Where cluster links and HTTP listen. */
  readonly host: string
  /** 0: any free port. A restarted node should get the port it had. */
  readonly clusterPort: number
  readonly httpPort: number
  /** Addresses `host:port` to join through; the first may start the cluster. None: this node starts it. */
  readonly seeds: readonly string[]
  /** Shared by all nodes, at least 16 characters; signs links and beacons. */
  readonly secret: string
  /** Folder for what this node writes; its own. */
  readonly dataDir: string
  /** Seconds of the scenario per real second, > 0. Day, candidate and reauction times shrink by it. */
  readonly speed: number
  /** Real time, in milliseconds since 1970, at which the scenario's clock showed `scenarioStartMs`. The same on all nodes. */
  readonly realStartMs: number
  readonly scenarioStartMs: number
  /** How often to send `Stats`, in real milliseconds. Default 500. */
  readonly statsIntervalMs?: number
  readonly scenario?: Scenario
  readonly logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug'
}

/** Figures of one node. Counters count from the start of this process and only grow. */
export interface NodeStats {
  readonly name: string
  /** This incarnation; another one after each restart. */
  readonly uid: string
  readonly clusterAddress: string
  /** The cluster as this node sees it. */
  readonly members: readonly NodeMember[]
  /** Ad requests that were well-formed, and what became of them: `served + sum of noContent`. */
  readonly requests: number
  /** Requests that got at least one ad. */
  readonly served: number
  /** Ads in those answers: up to one for each slot. */
  readonly ads: number
  /** Requests answered 204, by the reason in `x-ad-reason`. */
  readonly noContent: Readonly<Record<string, number>>
  /** Answers of 400 and above, beacons included, by status. */
  readonly httpErrors: Readonly<Record<string, number>>
  readonly impressions: number
  readonly clicks: number
  /** Beacons that were refused, by reason. */
  readonly beaconsRefused: Readonly<Record<string, number>>
  /** Time of the decision alone: from parsed request to chosen ads, all slots together. */
  readonly decisionMs: HistogramSnapshot
  /** Time from request to the answer's last byte, on the node. */
  readonly handlingMs: HistogramSnapshot
  /** Entries of the serve index on this node, and slots that have any. */
  readonly indexEntries: number
  readonly indexSlots: number
  /** One text for everything replicated here; replicas that agree show the same. */
  readonly replicaDigest: string
  readonly replicaKeys: number
  /** As the campaigns' owners published it. Of the same campaign on several nodes the highest `revision` is right. */
  readonly campaigns: readonly CampaignFigures[]
  /** Messages that were lost, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Bytes this node sent to the others, and received. */
  readonly sentBytes: number
  readonly receivedBytes: number
  /** The part of `sentBytes` that is replicated data. */
  readonly gossipBytes: number
  readonly shards: number
  /** Entities that live on this node, by type. */
  readonly entities: Readonly<Record<string, number>>
  readonly heapBytes: number
  /** Time of the scenario on this node. */
  readonly scenarioNowMs: number
}

export interface NodeMember {
  readonly address: string
  readonly uid: string
  readonly status: string
  readonly isReachable: boolean
}

export interface CampaignFigures {
  readonly campaignId: string
  readonly advertiserId: string
  readonly status: string
  /** Grows with each publication of the campaign. */
  readonly revision: number
  /** Of the scenario's current day. */
  readonly budgetMicros: number
  readonly spentMicros: number
  /** Granted to nodes and not yet reported as spent. `spent + outstanding <= budget`, always. */
  readonly outstandingMicros: number
  /** Number of the day the figures belong to. */
  readonly day: number
}

/**
 * The answer 200 to `GET /v1/serve?site=SITE&slot=ID`, where `slot` may be given several times (`pub` is
 * another name for `site`, and other parameters, as the page's `url`, are allowed and not looked at):
 * JSON with one place for each slot asked for, in that order; null where nothing is shown. When no slot
 * is filled the answer is 204 without a body, with the reason in the header `x-ad-reason`.
 */
export interface ServeAnswer {
  readonly site: string
  readonly ads: readonly (ServedAd | null)[]
}

export interface ServedAd {
  readonly slot: string
  readonly campaignId: string
  readonly creativeId: string
  /** Grows whenever an auction puts the creative into the slot anew. */
  readonly version: number
  readonly assetUrl: string
  readonly mime: string
  readonly width: number
  readonly height: number
  /** Beacons: paths on this node, signed, good on every node. `GET` answers 204; 403 when forged or late, 409 when repeated. */
  readonly impUrl: string
  readonly clickUrl: string
  /** What 1,000 such impressions cost the campaign. */
  readonly cpmMicros: number
}
