import type { AdCounterReport, AdReport, RoundReport } from './report.ts'

/** What happened, for people: some calm lines. */
export function accountOf(report: AdCounterReport): string {
  const { nodes, clients, limit, seed, rounds } = report
  const ads = rounds[0]?.ads.length ?? 0
  const head =
    `${count(ads, 'ad')}, ${count(clients, 'client')} on ${count(nodes, 'node')}, ` +
    `a limit of ${count(limit, 'view')} for each ad (seed ${seed})`
  const links =
    `${report.linkMessages} messages, ${Math.ceil(report.linkBytes / 1_024)} KiB, crossed the links ` +
    'between the nodes.'
  const parts = [head, ...rounds.map((round) => roundAccount(round, nodes))]
  return [...parts, ...(nodes > 1 ? [links] : [])].join('\n\n')
}

function roundAccount(round: RoundReport, nodes: number): string {
  const lines = [title(round), ...round.ads.map(adLine), '', outcome(round)]
  if (round.lost === 0 && round.countedTwice === 0) {
    lines.push(
      `No view was lost and none counted twice: ${round.shown} shown, ${round.counted} counted.`,
    )
  } else {
    lines.push(`WRONG: ${round.lost} views lost, ${round.countedTwice} counted twice.`)
  }
  lines.push(agreement(round, nodes))
  if (!round.allStopped) lines.push('WRONG: a client still shows an ad that has reached its limit.')
  return lines.join('\n')
}

function title({ round, offlineClients }: RoundReport): string {
  if (round === 'online') return 'Everybody online: each view is merged upstream at once.'
  return (
    `Offline for a while: ${offlineClients.join(' and ') || 'nobody'}. They go on showing and counting, ` +
    'and merge upstream when they are back.'
  )
}

function adLine({ ad, shown, shownOffline, counted, beyondLimit }: AdReport): string {
  const notes = [
    ...(shownOffline > 0 ? [`${shownOffline} of them offline`] : []),
    ...(beyondLimit > 0 ? [`${beyondLimit} beyond the limit`] : []),
  ]
  const figures = `${String(shown).padStart(4)} shown ${String(counted).padStart(4)} counted`
  return `  ${ad.padEnd(8)}${figures}${notes.length > 0 ? `   (${notes.join(', ')})` : ''}`
}

function outcome({ requests, shown, nothingToShow }: RoundReport): string {
  return `${count(requests, 'request')}: ${shown} saw an ad, ${nothingToShow} found none left to show.`
}

function agreement({ replicasAgree, agreedAfterMs }: RoundReport, nodes: number): string {
  if (!replicasAgree) return `WRONG: the ${nodes} replicas do not agree.`
  const when =
    agreedAfterMs === undefined ? '' : `, ${Math.round(agreedAfterMs)} ms after the last step`
  return nodes === 1 ? 'The one replica has it all.' : `All ${nodes} replicas agree${when}.`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
