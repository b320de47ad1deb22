import { describe, expect, it } from 'vitest'
import type { ScenarioCampaign, ScenarioCreative } from '../scenario.ts'
import { creativeImage } from './creative-image.ts'
import { encodePageEvent } from './page-event.ts'

const creative: ScenarioCreative = {
  creativeId: 'lamp-top-bold',
  assetUrl: '/creatives/lamp-top-bold.svg',
  mime: 'image/svg+xml',
  width: 728,
  height: 90,
  landingUrl: 'https://lamp.example/',
  clickRate: 0.01,
}
const campaign = (campaignId: string): ScenarioCampaign => ({
  campaignId,
  advertiserId: 'exchange-2',
  status: 'Active',
  maxCpmMicros: 1_000,
  dailyBudgetMicros: 1,
  categories: [],
  siteAllowlist: [],
  creatives: [creative],
})

describe('the image of a creative', () => {
  it('names what it is for, in the size of its slot', () => {
    const image = creativeImage(campaign('desk-lamp'), creative)

    expect(image).toContain('viewBox="0 0 728 90"')
    expect(image).toContain('>desk lamp</text>')
  })

  it('lets no name out of its text', () => {
    const image = creativeImage(campaign('"><script>x</script>'), creative)

    expect(image).not.toContain('<script')
    expect(image).toContain('&#34;&#62;&#60;script&#62;')
  })
})

describe('an event for the page', () => {
  it('is one line of data, whatever the texts contain', () => {
    const event = { title: 'a\nb', source: '', speed: 1, notices: ['c\r\n\r\nd'], phase: 'running' }
    const text = encodePageEvent(event as unknown as Parameters<typeof encodePageEvent>[0])

    expect(text.split('\n')).toHaveLength(4)
    expect(text.startsWith('event: summary\ndata: {"title":"a\\nb"')).toBe(true)
  })
})
