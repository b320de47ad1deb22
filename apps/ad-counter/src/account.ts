import type { AdCounterConfig } from './config.ts'
import type { AdCounterReport, AdReport, RoundReport } from './report.ts'

// What happens, for people: some calm lines.

export function announcement({ ads, clients, nodes, limit, seed }: AdCounterConfig): string {
  return (
    `${count(ads, 'ad')}, ${count(clients, 'client')} on ${count(nodes, 'node')}, ` +
    `a limit of ${count(limit, 'view')} for each ad (seed ${seed})`
  )
}

export function roundAccount(round: RoundReport, nodes: number): string {
  const lines = [title(round), ...round.ads.map(adLine), '', outcome(round)]
  const beyond = round.ads.reduce((sum, { beyondLimit }) => sum + beyondLimit, 0)
  if (beyond > 0) {
    lines.push(
      `${count(beyond, 'view')} went beyond a limit: who has not heard of the others' views goes on.`,
    )
  }
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

export function closingLine({ linkMessages, linkBytes, nodes }: AdCounterReport): string {
  if (nodes === 1) return 'There was no other node to tell.'
  return `${linkMessages} messages, ${Math.ceil(linkBytes / 1_024)} KiB, crossed the links between the nodes.`
}

function title({ round, offlineClients }: RoundReport): string {
  if (round === 'online') return 'Everybody online: each view is merged upstream at once.'
  if (offlineClients.length === 0)
    return 'Again: with one client nobody can be spared to be offline.'
  return (
    `Offline for a while: ${offlineClients.join(' and ')}. What is shown there is counted there, ` +
    'and merged upstream later.'
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
