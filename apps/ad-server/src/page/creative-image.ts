import type { ScenarioCampaign, ScenarioCreative } from '../scenario.ts'

/** Draws a creative as SVG: there are no real images in a scenario, and something has to be shown. */
export function creativeImage(campaign: ScenarioCampaign, creative: ScenarioCreative): string {
  const { width, height, creativeId } = creative
  const hue = hueOf(campaign.campaignId)
  const isBold = creativeId.endsWith('-bold')
  const ground = isBold ? `hsl(${hue} 62% 42%)` : `hsl(${hue} 55% 93%)`
  const ink = isBold ? '#ffffff' : `hsl(${hue} 60% 24%)`
  const accent = isBold ? `hsl(${(hue + 40) % 360} 85% 70%)` : `hsl(${hue} 62% 45%)`
  const isTall = height * 2 > width
  const size = Math.round(Math.min(height * (isTall ? 0.13 : 0.42), width * 0.1))
  const left = isTall ? Math.round(width * 0.08) : Math.round(height * 1.25)
  const name = escaped(campaign.campaignId.replaceAll('-', ' '))
  const slogan = escaped(SLOGANS[fold(creativeId) % SLOGANS.length] ?? '')
  const titleY = Math.round(isTall ? height * 0.7 : height * 0.47)
  const mark = isTall
    ? circles(width * 0.68, height * 0.3, height * 0.24, accent)
    : circles(height * 0.58, height * 0.5, height * 0.3, accent)
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `font-family="system-ui, sans-serif"><rect width="${width}" height="${height}" fill="${ground}"/>` +
    `${mark}<text x="${left}" y="${titleY}" font-size="${size}" font-weight="700" fill="${ink}">${name}</text>` +
    `<text x="${left}" y="${titleY + Math.round(size * 0.95)}" font-size="${Math.round(size * 0.6)}" fill="${ink}" ` +
    `opacity=".75">${slogan}</text></svg>`
  )
}

function circles(x: number, y: number, radius: number, colour: string): string {
  const ring = (r: number, opacity: number) =>
    `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r.toFixed(1)}" fill="${colour}" opacity="${opacity}"/>`
  return ring(radius * 1.3, 0.18) + ring(radius, 0.35) + ring(radius * 0.62, 1)
}

function hueOf(text: string): number {
  return fold(text) % 360
}

function fold(text: string): number {
  let hash = 7
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0
  return hash
}

function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (mark) => `&#${mark.charCodeAt(0)};`)
}

const SLOGANS = ['made to last', 'try it for a month', 'since last Tuesday', 'quietly better']
