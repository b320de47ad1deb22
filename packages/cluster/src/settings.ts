import type { Logger } from '@troupe/actor'
import { clusterError } from './errors.ts'
import { formatAddress, isAddress, parseAddress } from './node-address.ts'
import type { LinkSettings } from './remote/outbound-stream.ts'
import { FRAME_BYTES_MAX } from './remote/protocol.ts'

export interface ClusterSettings extends LinkSettings {
  /** Where to listen. Default `127.0.0.1`; anything beyond loopback needs `secret`. */
  readonly host: string
  /** Default 0: any free port. */
  readonly port: number
  /** The host under which the others reach this node, if it differs from `host`. */
  readonly advertisedHost: string | undefined
  /**
   * Addresses (`host:port`) to join through; none: this node alone. The first starts the cluster when
   * the others have none; while some are silent it needs a majority of them.
   */
  readonly seeds: readonly string[]
  /** Shared by all nodes of the cluster, at least 16 characters. From a file or the environment, never from code. */
  readonly secret: string | undefined
  /** Accept links beyond loopback without a secret. Warns at every start. */
  readonly insecure: boolean
  readonly roles: readonly string[]

  /** How often to gossip with one random node, in milliseconds. */
  readonly gossipIntervalMs: number
  /** How often the leader looks whether members can move on, in milliseconds. */
  readonly leaderIntervalMs: number
  /** How often to send heartbeats, and to look for missing ones, in milliseconds. */
  readonly heartbeatIntervalMs: number
  /** Silence beyond the usual that is not worth worrying about, in milliseconds. Covers pauses of the process. */
  readonly acceptablePauseMs: number
  /** Suspicion (phi) above which a node counts as unreachable. Higher: fewer false alarms, later true ones. */
  readonly phiThreshold: number
  /** How many nodes send heartbeats to each node. */
  readonly monitoredBy: number
  /** How often the seeds are asked again, in milliseconds. */
  readonly joinRetryMs: number
  /**
   * How long the first seed looks for silent seeds before it starts a cluster with a majority of them,
   * in milliseconds. It waits longer when downing takes longer: see Joining.
   */
  readonly seedTimeoutMs: number
  /** How long reachability must not have changed before nodes are downed, in milliseconds. */
  readonly stableAfterMs: number
  /** How long a node that leaves waits for the others to let it go, in milliseconds. */
  readonly leaveTimeoutMs: number
  /** How long removed nodes are remembered so that late gossip cannot bring them back, in milliseconds. */
  readonly tombstoneMs: number
}

export const defaultClusterSettings: ClusterSettings = {
  host: '127.0.0.1',
  port: 0,
  advertisedHost: undefined,
  seeds: [],
  secret: undefined,
  insecure: false,
  roles: [],
  gossipIntervalMs: 1_000,
  leaderIntervalMs: 1_000,
  heartbeatIntervalMs: 1_000,
  acceptablePauseMs: 4_000,
  phiThreshold: 8,
  monitoredBy: 9,
  joinRetryMs: 1_000,
  seedTimeoutMs: 5_000,
  stableAfterMs: 20_000,
  leaveTimeoutMs: 10_000,
  tombstoneMs: 86_400_000,
  linkQueueMax: 10_000,
  messageBytesMax: 256 * 1_024,
  batchBytes: 64 * 1_024,
  linkBufferBytesMax: 2 * 1_024 * 1_024,
  handshakeTimeoutMs: 5_000,
  reconnectMs: 1_000,
}

/**
 * For nodes of one machine: everything that waits for a network waits less. A killed node is gone
 * from the cluster after about six seconds instead of half a minute.
 */
export function localClusterSettings(): Partial<ClusterSettings> {
  return {
    gossipIntervalMs: 250,
    leaderIntervalMs: 250,
    heartbeatIntervalMs: 500,
    acceptablePauseMs: 2_000,
    joinRetryMs: 250,
    seedTimeoutMs: 3_000,
    stableAfterMs: 3_000,
    leaveTimeoutMs: 4_000,
    reconnectMs: 250,
  }
}

/** Fills in defaults and refuses what cannot work or would be unsafe. */
export function clusterSettings(
  overrides: Partial<ClusterSettings> = {},
  log?: Logger,
): ClusterSettings {
  const settings = { ...defaultClusterSettings, ...overrides }
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'number' && !(value > 0 || (name === 'port' && value === 0))) {
      throw clusterError('INVALID_SETTING', `${name} must be > 0, got ${value}`)
    }
  }
  for (const seed of settings.seeds) parseAddress(seed)
  if (settings.acceptablePauseMs < settings.heartbeatIntervalMs) {
    throw clusterError('INVALID_SETTING', 'acceptablePauseMs must be at least heartbeatIntervalMs')
  }
  if (settings.messageBytesMax + settings.batchBytes > FRAME_BYTES_MAX / 2) {
    throw clusterError(
      'INVALID_SETTING',
      `messageBytesMax and batchBytes together must be at most ${FRAME_BYTES_MAX / 2}, half of the largest frame`,
    )
  }
  if (settings.secret !== undefined && settings.secret.length < SECRET_LENGTH_MIN) {
    throw clusterError(
      'WEAK_SECRET',
      `the cluster secret must have at least ${SECRET_LENGTH_MIN} characters; \`openssl rand -hex 32\` makes a good one`,
    )
  }
  if (!isLoopback(settings.host) && settings.secret === undefined) {
    if (!settings.insecure) {
      throw clusterError(
        'INSECURE_BIND',
        `${formatAddress(settings.host, settings.port)} can be reached from other machines, and anybody who reaches it ` +
          `could join the cluster; set \`secret\` to a text all nodes share, or \`insecure: true\` to accept that`,
      )
    }
    log?.warn({ host: settings.host }, 'cluster links are open to anybody who reaches this host')
  }
  const advertised = settings.advertisedHost ?? settings.host
  if (!isAddress(formatAddress(advertised, 1)) || WILDCARDS.includes(advertised)) {
    throw clusterError(
      'INVALID_SETTING',
      `other nodes cannot reach this one at ${JSON.stringify(advertised)}; set advertisedHost to a host name or address of this machine`,
    )
  }
  return settings
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Hosts that mean all addresses of this machine, and none to anybody else. */
const WILDCARDS: readonly string[] = ['0.0.0.0', '::']
const SECRET_LENGTH_MIN = 16
