import { createServer, type Server } from 'node:net'
import { AdServerError } from '../errors.ts'

/** The ports of one node. */
export interface NodePorts {
  readonly httpPort: number
  readonly clusterPort: number
}

/** Free ports for so many nodes, or those from `base` on. Throws `PORT_UNUSABLE` when one of these is taken. */
export async function nodePorts(
  nodes: number,
  host: string,
  base: number | undefined,
): Promise<readonly NodePorts[]> {
  const servers: Server[] = []
  try {
    // All are held until the last is found: otherwise the host might name one twice.
    for (let i = 0; i < 2 * nodes; i++)
      servers.push(await listening(host, base === undefined ? 0 : base + i))
    const ports = servers.map(portOf)
    return Array.from({ length: nodes }, (_, i) => ({
      httpPort: ports[2 * i] ?? 0,
      clusterPort: ports[2 * i + 1] ?? 0,
    }))
  } finally {
    await Promise.all(servers.map(closed))
  }
}

/** What is wrong with a port, for people. */
export function portError(port: number, flag: string, cause: unknown): AdServerError {
  const { code } = cause as NodeJS.ErrnoException
  const why =
    code === 'EADDRINUSE'
      ? 'is in use'
      : code === 'EACCES'
        ? 'may not be used by this account'
        : `cannot be used (${String(code)})`
  return new AdServerError(
    'PORT_UNUSABLE',
    `port ${port} ${why}; choose another one with ${flag}, or end the program that has it`,
    { cause },
  )
}

function listening(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause) => reject(portError(port, '--port', cause)))
    server.listen({ host, port, exclusive: true }, () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
