import { expect, it } from 'vitest'
import { impressionMicros, isCpm, isMoney, microsOfDollars } from './money.ts'

it('costs 5,000 micros to show an ad at 5 dollars CPM, and nobody pays the fraction', () => {
  expect([5_000_000, 1_999, 1_000].map(impressionMicros)).toEqual([5_000, 1, 1])
})

it('rounds what people write once, at the edge', () => {
  expect([1, 0.1 + 0.2, 2.4].map(microsOfDollars)).toEqual([1_000_000, 300_000, 2_400_000])
})

it.each([[-1], [0.5], [NaN], [2 ** 53], ['1'], [undefined]])(
  'does not take %j for money',
  (value) => {
    expect(isMoney(value)).toBe(false)
  },
)

it('takes prices from a tenth of a cent to a thousand dollars', () => {
  expect([999, 1_000, 1_000_000_000, 1_000_000_001].map(isCpm)).toEqual([false, true, true, false])
})
