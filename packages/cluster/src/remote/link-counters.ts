/** What all links of a node have counted since it started, and what waits. */
export interface LinkMetrics {
  readonly messagesSent: number
  readonly messagesReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Links that were turned away: strangers, peers without the secret, peers that broke the protocol. */
  readonly linksRefused: number
  readonly linksAccepted: number
  /** Messages that links could not deliver, by reason. Those of users are dead letters as well. */
  readonly dropped: ReadonlyMap<string, number>
  /** Messages that wait at the moment for a link to open or to take more. */
  readonly queued: number
  /** Watch messages that other nodes have not acknowledged yet. */
  readonly unacknowledged: number
}

export class LinkCounters {
  #messagesSent = 0
  #messagesReceived = 0
  #bytesSent = 0
  #bytesReceived = 0
  #linksRefused = 0
  #linksAccepted = 0
  readonly #dropped = new Map<string, number>()

  sent(bytes: number, messages: number): void {
    this.#bytesSent += bytes
    this.#messagesSent += messages
  }

  receivedFrame(bytes: number): void {
    this.#bytesReceived += bytes
  }

  receivedMessage(): void {
    this.#messagesReceived++
  }

  accepted(): void {
    this.#linksAccepted++
  }

  refused(): void {
    this.#linksRefused++
  }

  dropped(reason: string, messages: number): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + messages)
  }

  get counts(): Omit<LinkMetrics, 'queued' | 'unacknowledged'> {
    return {
      messagesSent: this.#messagesSent,
      messagesReceived: this.#messagesReceived,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      linksRefused: this.#linksRefused,
      linksAccepted: this.#linksAccepted,
      dropped: new Map(this.#dropped),
    }
  }
}
