/**
 * The other end of the `remote` suite, in a process of its own: a node with a counter and an echo,
 * and the same two by hand on a plain WebSocket.
 */
import type { AddressInfo } from 'node:net'
import { type ActorRef, Behaviors } from '@troupe/actor'
import { internal, type LocalRef } from '@troupe/actor/spi'
import { Cluster, localClusterSettings } from '@troupe/cluster'
import { Packr, Unpackr } from 'msgpackr'
import { type WebSocket, WebSocketServer } from 'ws'
import { BenchSystem } from './harness/bench-system.ts'
import { RawBatch, readBatch, STREAM } from './raw-batch.ts'
import { PROGRESS_EVERY, type Reading } from './remote-messages.ts'

const bench = new BenchSystem()
bench.open()
const cluster = await Cluster.start(bench.system, {
  ...localClusterSettings(),
  seeds: [process.argv[2] ?? ''],
})

const counter = bench.start(
  Behaviors.setup<Reading>(() => {
    let count = 0
    let sum = 0
    return Behaviors.receive((reading) => {
      sum += reading.value
      if (++count % PROGRESS_EVERY === 0) reading.replyTo?.tell({ type: 'Progress', count, sum })
      return Behaviors.same
    })
  }),
)
const echo = bench.start(
  Behaviors.receive<Reading>((reading) => {
    reading.replyTo?.tell({ type: 'Progress', count: 1, sum: reading.value })
    return Behaviors.same
  }),
)

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
server.on('connection', (socket, request) => {
  if (request.url === '/count') countRaw(socket)
  else echoRaw(socket)
})

function countRaw(socket: WebSocket): void {
  const unpacker = new Unpackr(STREAM())
  let count = 0
  let sum = 0
  socket.on('message', (frame) => {
    readBatch(frame as Buffer, (message) => {
      const reading = unpacker.unpack(message) as Reading
      sum += reading.value
      if (++count % PROGRESS_EVERY === 0) socket.send(JSON.stringify({ count, sum }))
    })
  })
}

function echoRaw(socket: WebSocket): void {
  const batch = new RawBatch()
  const unpacker = new Unpackr(STREAM())
  const packer = new Packr(STREAM())
  socket.on('message', (frame) => {
    readBatch(frame as Buffer, (message) => {
      const reading = unpacker.unpack(message) as Reading
      batch.add(packer.pack({ type: 'Progress', count: 1, sum: reading.value }))
      socket.send(batch.take())
    })
  })
}

await new Promise((resolve) => server.once('listening', resolve))
await cluster.whenUp({ timeoutMs: 20_000 })
process.send?.({
  self: cluster.self,
  counter: published(counter),
  echo: published(echo),
  rawPort: (server.address() as AddressInfo).port,
})
process.once('disconnect', () => process.exit(0))

function published(ref: ActorRef<never>): { readonly path: string; readonly uid: number } {
  const local = internal(ref) as LocalRef
  local.publish()
  return { path: local.path, uid: local.uid }
}
