import { MICROS_PER_DOLLAR } from '../money.ts'

/** 1234567 as `1,234,567`. */
export function countText(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Milliseconds with three figures that count: `0.042`, `1.25`, `118`. */
export function msText(ms: number): string {
  if (ms === 0) return '-'
  if (ms >= 100) return ms.toFixed(0)
  if (ms >= 10) return ms.toFixed(1)
  return ms >= 1 ? ms.toFixed(2) : ms.toFixed(3)
}

export function dollarText(micros: number): string {
  return `$${(micros / MICROS_PER_DOLLAR).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')}`
}

/** A share as `12.3 %`; what is not nothing never looks like nothing. */
export function percentText(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return '0 %'
  const percent = (100 * part) / whole
  if (percent < 0.1) return '<0.1 %'
  return percent < 99.95 ? `${percent.toFixed(1)} %` : '100 %'
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000
    unit++
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** How long something has lasted: `0:07`, `12:34`, `1:02:03`. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  const two = (figure: number) => String(figure).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  const tail = `${two(seconds % 60)}`
  if (minutes < 60) return `${minutes}:${tail}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${tail}`
}

/** A moment of the scenario: `Mon 2 Mar 2015 08:15`. UTC. */
export function momentText(ms: number): string {
  const [, weekday = '', date = '', month = '', year = '', time = ''] =
    /^(\w+), (\d+) (\w+) (\d+) (\d+:\d+)/.exec(new Date(ms).toUTCString()) ?? []
  return `${weekday} ${Number(date)} ${month} ${year} ${time}`
}
