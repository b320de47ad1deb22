import type { Random } from '../random.ts'

/**
 * Exact draws from Beta distributions.
 *
 * A Beta draw is the share of one Gamma draw in the sum of two. A Gamma draw is a transformed normal
 * draw, accepted or refused (Marsaglia and Tsang 2000, "A simple method for generating gamma
 * variables"). The normal draws come from a ziggurat (Marsaglia and Tsang 2000): the bell curve is
 * covered by 128 layers of equal area, and a point in a layer lies under the curve without looking
 * 98.8 times in 100. Layer, sign and place in the layer use different bits of one draw.
 */
export class BetaSampler {
  readonly #random: Random
  /** Right end of each layer; the first is the base layer's, tail included; the last is 0. */
  readonly #ends = new Float64Array(LAYERS + 1)
  /** Height of the curve at each end. */
  readonly #heights = new Float64Array(LAYERS + 1)

  constructor(random: Random) {
    this.#random = random
    this.#ends[0] = LAYER_AREA / bell(TAIL_START)
    this.#ends[1] = TAIL_START
    for (let i = 2; i < LAYERS; i++) {
      const below = this.#ends[i - 1] ?? 0
      this.#ends[i] = Math.sqrt(-2 * Math.log(LAYER_AREA / below + bell(below)))
    }
    for (let i = 0; i <= LAYERS; i++) this.#heights[i] = bell(this.#ends[i] ?? 0)
  }

  /** A number in [0, 1] with mean a / (a + b). Both parameters must be above 0. */
  beta(a: number, b: number): number {
    const x = this.gamma(a)
    const sum = x + this.gamma(b)
    return sum > 0 ? x / sum : 0.5
  }

  /** A number >= 0 with mean and variance `shape`. */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.#random.next()) ** (1 / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = this.normal()
      const root = 1 + c * x
      if (root <= 0) continue
      const v = root * root * root
      const u = 1 - this.#random.next()
      // The cheap test accepts nearly all of what the exact one would.
      if (u < 1 - 0.0331 * x * x * x * x) return d * v
      if (Math.log(u) < 0.5 * x * x + d * (1 - v + Math.log(v))) return d * v
    }
  }

  /** Mean 0, variance 1. */
  normal(): number {
    const ends = this.#ends
    for (;;) {
      const bits = (this.#random.next() * 2 ** 32) >>> 0
      const layer = bits & (LAYERS - 1)
      const x = (bits >>> 8) * 2 ** -24 * (ends[layer] ?? 0)
      if (x < (ends[layer + 1] ?? 0)) return bits & SIGN ? -x : x
      const edge = layer === 0 ? this.#tail() : this.#underCurve(layer, x) ? x : -1
      if (edge >= 0) return bits & SIGN ? -edge : edge
    }
  }

  /** Whether a random height in the layer lies under the curve at `x`. */
  #underCurve(layer: number, x: number): boolean {
    const low = this.#heights[layer] ?? 0
    const high = this.#heights[layer + 1] ?? 0
    return low + this.#random.next() * (high - low) < bell(x)
  }

  /** A draw from the curve beyond the base layer. */
  #tail(): number {
    for (;;) {
      const beyond = -Math.log(1 - this.#random.next()) / TAIL_START
      const y = -Math.log(1 - this.#random.next())
      if (2 * y >= beyond * beyond) return TAIL_START + beyond
    }
  }
}

function bell(x: number): number {
  return Math.exp(-0.5 * x * x)
}

/** Layers of the ziggurat; the two constants below belong to this number. */
const LAYERS = 128
/** Where the base layer's rectangle ends and the tail begins. */
const TAIL_START = 3.442619855899
/** Area of each layer, the base layer's tail included. */
const LAYER_AREA = 9.91256303526217e-3
const SIGN = 128
