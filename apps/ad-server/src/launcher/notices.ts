/** The last few things that happened, each with its moment in the run. */
export class Notices {
  readonly #most: number
  readonly #texts: string[] = []

  constructor(most: number) {
    this.#most = most
  }

  /** `at`: as it shall be read, for instance `1:05`. */
  add(at: string, text: string): void {
    this.#texts.push(`${at}  ${text}`)
    if (this.#texts.length > this.#most) this.#texts.shift()
  }

  latest(count: number): readonly string[] {
    return this.#texts.slice(-count)
  }
}
