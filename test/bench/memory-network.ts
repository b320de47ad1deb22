import type { Link, LinkHandlers, Network } from '@troupe/actor'

/** Links inside one process: a frame arrives in the next turn of the event loop. As fast as a network can be. */
export function memoryNetwork(): Network {
  const listeners = new Map<string, (link: Link) => void>()
  return {
    listen: (host, port, onLink) => {
      listeners.set(`${host}:${port}`, onLink)
      return Promise.resolve({
        host,
        port,
        close: () => {
          listeners.delete(`${host}:${port}`)
          return Promise.resolve()
        },
      })
    },
    connect: (host, port, handlers) => {
      const near = new End(`${host}:${port}`)
      const far = new End('memory')
      near.other = far
      far.other = near
      near.attach(handlers)
      setImmediate(() => {
        const onLink = listeners.get(near.remote)
        if (onLink === undefined) near.close(1006, 'connection refused')
        else {
          onLink(far)
          handlers.onOpen()
        }
      })
      return near
    },
  }
}

class End implements Link {
  readonly remote: string
  readonly bufferedBytes = 0
  other: End | undefined
  #handlers: LinkHandlers | undefined
  #frames: Uint8Array[] = []
  #isClosed = false

  constructor(remote: string) {
    this.remote = remote
  }

  attach(handlers: LinkHandlers): void {
    this.#handlers = handlers
  }

  send(frame: Uint8Array): void {
    if (!this.#isClosed) this.other?.arrive(frame)
  }

  arrive(frame: Uint8Array): void {
    if (this.#frames.push(frame) > 1) return
    setImmediate(() => {
      const frames = this.#frames
      this.#frames = []
      for (const each of frames) if (!this.#isClosed) this.#handlers?.onFrame(each)
    })
  }

  close(_code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handlers?.onClose(reason)
    setImmediate(() => this.other?.close(1000, reason))
  }
}
