import { expect, it } from 'vitest'
import { AdCluster, campaignOf, scenarioOf, shown } from './ad-server-cluster.ts'

it('serves on every node what one auctioneer has put into the index', async () => {
  await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')))

  await ads.isServed('top')

  expect([0, 1, 2].map((i) => shown(ads.decide(i, 'side')))).toEqual([
    'shoes-1',
    'shoes-1',
    'shoes-1',
  ])
  expect([0, 1, 2].map((i) => ads.at(i).flat.size)).toEqual([2, 2, 2])
})
