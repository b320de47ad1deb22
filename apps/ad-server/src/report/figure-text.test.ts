import { expect, it } from 'vitest'
import {
  bytesText,
  countText,
  dollarText,
  durationText,
  momentText,
  msText,
  percentText,
} from './figure-text.ts'

it.each([
  [countText(0), '0'],
  [countText(999.6), '1,000'],
  [countText(1_234_567), '1,234,567'],
  [msText(0), '-'],
  [msText(0.0417), '0.042'],
  [msText(1.254), '1.25'],
  [msText(99.96), '100.0'],
  [msText(250.4), '250'],
  [dollarText(0), '$0.00'],
  [dollarText(1_234_567_890_000), '$1,234,567.89'],
  [percentText(0, 0), '0 %'],
  [percentText(1, 10_000), '<0.1 %'],
  [percentText(1, 3), '33.3 %'],
  [percentText(3, 3), '100 %'],
  [bytesText(0), '0 B'],
  [bytesText(999), '999 B'],
  [bytesText(1_000), '1.0 kB'],
  [bytesText(123_456_789), '123 MB'],
  [durationText(7_900), '0:07'],
  [durationText(3_723_000), '1:02:03'],
  [momentText(Date.UTC(2015, 2, 2, 8, 15)), 'Mon 2 Mar 2015 08:15'],
])('shows a figure as people write it: %s', (text, expected) => {
  expect(text).toBe(expected)
})
