import { describe, expect, it } from 'vitest'
import { parseScenario } from '../scenario.ts'
import { type Recordings, replayDrive } from './replay.ts'

const LOG = `time\tvisitor\tmethod\tpath\tstatus\tbytes\tagent
2015-05-17T10:05:03+00:00\t1\tGET\t/blog/ssl.html\t200\t10\tbrowser
2015-05-17T10:05:04+00:00\t1\tGET\t/style.css\t200\t10\tbrowser
2015-05-17T10:05:05+00:00\t2\tGET\t/\t304\t0\tbrowser
2015-05-17T10:05:06+00:00\t2\tGET\t/blog/ssl.html\t200\t10\tbrowser
2015-05-17T10:05:07+00:00\t3\tGET\t/robots\t200\t10\tbot
2015-05-17T10:05:08+00:00\t3\tPOST\t/form\t200\t10\tbrowser
2015-05-17T10:05:09+00:00\t3\tGET\t/gone\t404\t10\tbrowser
2015-05-17T10:05:10+00:00\t3\tGET\t/half
yesterday\t3\tGET\t/\t200\t10\tbrowser
2015-05-17T10:05:11+00:00\t3\tGET\tnot a path\t200\t10\tbrowser
2015-05-17T10:05:11+00:00\t3\tGET\t/\tfine\t10\tbrowser

`
const VOLUME = `timestamp,value
2015-02-26 21:42:53,10
2015-02-26 21:47:53,30
2015-02-26 21:47:59,30
2015-02-26 21:52:53,-5
2015-02-31 21:52:53,5
2015-02-26 21:52:53,5,5
`
const CPM = `timestamp,value
2011-07-01 00:00:01,0.4
2011-07-01 01:00:01,0.8
2011-07-01 02:00:01,0.0001
2011-07-01 03:00:01,NaN
`
const CPC = `timestamp,value
2011-07-01 00:00:01,0.1
2011-07-01 01:00:01,0.0000001
2011-07-01 02:00:01,0.1
`

const recordings = (changes: Partial<Recordings> = {}): Recordings => ({
  weblog: { file: 'weblog/requests.tsv', text: LOG },
  traffic: [{ file: 'traffic/volume-A.csv', text: VOLUME }],
  exchanges: [
    {
      id: 'exchange-2',
      cpm: { file: 'ad-exchange/exchange-2-cpm.csv', text: CPM },
      cpc: { file: 'ad-exchange/exchange-2-cpc.csv', text: CPC },
    },
  ],
  ...changes,
})
const drive = replayDrive('folder', recordings(), { slotsPerDay: 1_000 })

describe('a replay of recordings', () => {
  it('says of every row whether it was used, or why not', () => {
    expect(drive.rows).toEqual([
      {
        file: 'weblog/requests.tsv',
        read: 11,
        used: 3,
        refused: {
          'not a page (image, style, download)': 1,
          'a bot, not a visitor': 1,
          'not a GET': 1,
          'no page was shown (status)': 1,
          'not 7 columns': 1,
          'no time': 1,
          'no path': 1,
          'no status': 1,
        },
      },
      {
        file: 'traffic/volume-A.csv',
        read: 6,
        used: 2,
        refused: {
          'a second row for the same time': 1,
          'no number >= 0': 1,
          'no time': 1,
          'not 2 columns': 1,
        },
      },
      {
        file: 'ad-exchange/exchange-2-cpm.csv',
        read: 4,
        used: 2,
        refused: { 'cheaper than a tenth of a cent': 1, 'no number >= 0': 1 },
      },
      {
        file: 'ad-exchange/exchange-2-cpc.csv',
        read: 3,
        used: 1,
        refused: {
          'more clicks than impressions': 1,
          'no price of impressions for this hour': 1,
        },
      },
    ])
  })

  it('makes a good scenario of them', () => {
    const parsed = parseScenario(drive.scenario)

    expect(parsed).toEqual({ ok: true, scenario: drive.scenario })
    expect(drive.scenario.sites.map((site) => [site.siteId, site.pages.map((p) => p.url)])).toEqual(
      [
        ['blog', ['/blog/ssl.html']],
        ['home', ['/']],
      ],
    )
  })

  it('visits the pages in the order of the log, again and again', () => {
    const urls = Array.from({ length: 6 }, () => {
      const { site, page } = drive.traffic.nextPage(0.5)
      return drive.scenario.sites[site]?.pages[page]?.url
    })

    const walk = ['/blog/ssl.html', '/', '/blog/ssl.html']
    expect(urls).toEqual([...walk, ...walk])
  })

  it('bids what the exchange paid in the same hour of the same weekday', () => {
    const friday = Date.UTC(2015, 1, 27)
    const bidsOn = (at: number) => drive.scenarioOn(at).campaigns[0]?.cpmMicrosByHour

    expect(bidsOn(friday)?.slice(0, 3)).toEqual([400_000, 800_000, 800_000])
    expect(bidsOn(friday + 86_400_000)?.slice(0, 3)).toEqual([800_000, 800_000, 800_000])
  })

  it('gives each campaign the same budget every day', () => {
    const budgetsOn = (at: number) =>
      drive.scenarioOn(at).campaigns.map((campaign) => campaign.dailyBudgetMicros)

    expect(budgetsOn(Date.UTC(2015, 1, 28))).toEqual(budgetsOn(Date.UTC(2015, 1, 27)))
  })

  it('clicks as often as people clicked', () => {
    const [plain, bold] = drive.scenario.campaigns[0]?.creatives ?? []

    expect(plain?.clickRate).toBeCloseTo(0.004 * 0.6, 9)
    expect(bold?.clickRate).toBeCloseTo(0.004 * 1.4, 9)
    expect(drive.traffic.clickFactorAt('exchange-2', 0)).toBeCloseTo(1, 9)
  })

  it('refuses a file that has no usable row, with the reasons', () => {
    const weblog = { file: 'weblog/requests.tsv', text: 'nonsense\nmore nonsense\n' }

    expect(() => replayDrive('folder', recordings({ weblog }), { slotsPerDay: 1 })).toThrow(
      'folder/weblog/requests.tsv has no row that can be replayed (2 rows: not 7 columns)',
    )
  })
})

describe('recorded volume', () => {
  it('has the mean 1, and bursts are cut', () => {
    const quiet = Array.from({ length: 2_015 }, (_, i) => `${isoOf(i)},10`)
    const text = ['timestamp,value', ...quiet, `${isoOf(2_015)},100000`].join('\n')
    const { traffic, remarks } = replayDrive(
      'folder',
      recordings({ traffic: [{ file: 'traffic/volume-A.csv', text }] }),
      { slotsPerDay: 1 },
    )
    const { volumeAt, startMs } = traffic
    const volumes = Array.from({ length: 2_016 }, (_, i) => volumeAt(startMs + i * 300_000))

    expect(volumes.reduce((sum, volume) => sum + volume, 0) / 2_016).toBeCloseTo(1, 6)
    expect(Math.max(...volumes)).toBeLessThan(50)
    expect(remarks).toEqual([
      'traffic: the volume of 1 of 2016 intervals is cut to 5 times the mean',
    ])
  })
})

function isoOf(i: number): string {
  return new Date(Date.UTC(2015, 1, 26) + i * 300_000).toISOString().slice(0, 19)
}
