// The live page: listens to the figures that the launcher sends, and asks for an ad now and then.
// Text from outside enters as text, never as markup.

const $ = (id) => document.getElementById(id)
const setText = (id, text) => {
  const element = $(id)
  if (element.textContent !== text) element.textContent = text
}

// ---- figures as text ----

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const count = (n) => whole.format(Math.round(n))
const dollars = (micros) =>
  `$${(micros / 1e6).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
const ms = (value) => {
  if (value === 0) return '–'
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value >= 1 ? value.toFixed(2) : value.toFixed(3)
}
const percent = (part, all) => (all > 0 ? `${((100 * part) / all).toFixed(1)} %` : '–')
const sum = (counts) => Object.values(counts).reduce((total, n) => total + n, 0)

function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB']
  let unit = 0
  while (value >= 1000 && unit < 3) {
    value /= 1000
    unit++
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

function duration(elapsedMs) {
  const seconds = Math.floor(elapsedMs / 1000)
  const two = (n) => String(n).padStart(2, '0')
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
}

/** `Mon 2 Mar 08:15`, UTC. */
function moment(at) {
  const [, weekday, date, month, time] = /^(\w+), (\d+) (\w+) \d+ (\d+:\d+)/.exec(
    new Date(at).toUTCString(),
  )
  return `${weekday} ${Number(date)} ${month} ${time}`
}

// ---- the curves under the large figures ----

const POINTS = 90
const curves = new Map()

function draw(id, value) {
  const points = curves.get(id) ?? []
  curves.set(id, points)
  points.push(value)
  if (points.length > POINTS) points.shift()
  const top = Math.max(...points, 1e-9) * 1.08
  const place = (n, i) =>
    `${((i * 120) / (POINTS - 1)).toFixed(2)} ${(32 - (30 * n) / top).toFixed(2)}`
  const line = points.map((n, i) => `${i === 0 ? 'M' : 'L'}${place(n, i)}`).join('')
  const right = (((points.length - 1) * 120) / (POINTS - 1)).toFixed(2)
  const svg = $(`${id}-spark`)
  if (svg.childElementCount === 0) {
    for (const name of ['area', 'line']) {
      const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
      path.setAttribute('class', name)
      svg.append(path)
    }
  }
  svg.children[0].setAttribute('d', `${line}L${right} 32L0 32Z`)
  svg.children[1].setAttribute('d', line)
}

function setFigure(id, figure, unit) {
  const small = document.createElement('small')
  small.textContent = unit === '' ? '' : ` ${unit}`
  $(id).replaceChildren(figure, small)
}

// ---- the parts of the page ----

let earlier

function showTraffic(summary, timesOf) {
  const answered = summary.served + sum(summary.noContent)
  const reasons = Object.entries(summary.noContent).map(
    ([reason, n]) => `${reason} ${percent(n, answered)}`,
  )
  const errors = sum(summary.httpErrors)
  const retries = sum(summary.retries)
  setFigure('rate', count(summary.requestsPerSecond), '')
  setText(
    'requests',
    `${count(summary.requests)} in all, ${errors === 0 ? 'no errors' : `${count(errors)} errors`}${retries > 0 ? `, ${count(retries)} retried` : ''}`,
  )
  setFigure(
    'served',
    answered > 0 ? ((100 * summary.served) / answered).toFixed(1) : '–',
    answered > 0 ? '%' : '',
  )
  setText('unserved', reasons.length > 0 ? `204: ${reasons.join(', ')}` : 'of all requests')
  setFigure('decision', ms(summary.decisionMs.p99), 'ms p99')
  setText(
    'decision-more',
    `p50 ${ms(summary.decisionMs.p50)}, p99.9 ${ms(summary.decisionMs.p999)} ms, ${timesOf}`,
  )
  setFigure('http', ms(summary.httpMs.p99), 'ms p99')
  setText(
    'http-more',
    `p50 ${ms(summary.httpMs.p50)}, p99.9 ${ms(summary.httpMs.p999)} ms, ${timesOf}`,
  )
  draw('rate', summary.requestsPerSecond)
  if (earlier !== undefined) {
    const served = summary.served - earlier.served
    const others = sum(summary.noContent) - sum(earlier.noContent)
    if (served + others > 0) draw('served', served / (served + others))
  }
  draw('decision', summary.decisionMs.p99)
  draw('http', summary.httpMs.p99)
  earlier = summary
}

function showNodes(summary) {
  const rows = summary.nodes.map((node) => {
    const cells = [
      node.name,
      node.phase,
      `:${node.httpPort}`,
      count(node.requestsPerSecond),
      `${ms(node.decisionMs.p50)} ms`,
      `${ms(node.decisionMs.p99)} ms`,
      count(node.indexEntries),
      count(node.shards),
      bytes(node.heapBytes),
      String(node.restarts),
    ]
    const row = document.createElement('tr')
    for (const [i, text] of cells.entries()) {
      const cell = document.createElement('td')
      cell.textContent = text
      if (i === 1) cell.className = node.phase === 'up' ? 'good' : 'bad'
      row.append(cell)
    }
    return row
  })
  $('nodes').replaceChildren(...rows)
  setText('agree', summary.replicasAgree ? 'replicas agree' : 'exchanging changes')
  $('agree').classList.toggle('good', summary.replicasAgree)
  const lost = Object.entries(summary.dropped).map(([reason, n]) => `${count(n)} ${reason}`)
  setText(
    'links',
    `gossip ${bytes(summary.gossipBytesPerSecond)}/s, ${lost.length === 0 ? 'no message dropped' : `dropped: ${lost.join(', ')}`}`,
  )
}

function showCampaigns(summary) {
  const items = summary.campaigns.slice(0, 20).map((campaign, i) => {
    const item = $('campaigns').children[i] ?? campaignItem()
    const share = campaign.budgetMicros > 0 ? campaign.spentMicros / campaign.budgetMicros : 0
    const [name, money, meter] = item.children
    name.firstChild.textContent = `${campaign.campaignId} `
    name.lastChild.textContent = campaign.advertiserId
    money.textContent = `${dollars(campaign.spentMicros)} of ${dollars(campaign.budgetMicros)}`
    meter.firstChild.style.width = `${Math.min(100, 100 * share).toFixed(1)}%`
    return item
  })
  $('campaigns').replaceChildren(...items)
  setText('spent', `${dollars(summary.spendMicros)} of ${dollars(summary.budgetMicros)} today`)
}

function campaignItem() {
  const item = document.createElement('li')
  const name = document.createElement('span')
  const by = document.createElement('span')
  by.className = 'quiet'
  name.append(document.createTextNode(''), by)
  const money = document.createElement('span')
  money.className = 'quiet'
  const meter = document.createElement('span')
  meter.className = 'meter'
  meter.append(document.createElement('b'))
  item.append(name, money, meter)
  return item
}

function showEvents(notices) {
  const items = (notices.length > 0 ? notices : ['nothing yet']).toReversed().map((text) => {
    const item = document.createElement('li')
    item.textContent = text
    return item
  })
  $('events').replaceChildren(...items)
}

// ---- the ad slots: one real request every few seconds ----

let isAsking = false

async function askForAds() {
  if (isAsking) return
  isAsking = true
  try {
    const answer = await (await fetch('ad')).json()
    setText('ad-page', answer.url)
    document
      .querySelectorAll('.slot')
      .forEach((slot, i) => fill(slot, answer.ads[i], answer.reason))
    setText(
      'ad-more',
      `${answer.status === 200 ? 'Answered' : `Answered 204 (${answer.reason})`} by a real node in ${ms(answer.tookMs)} ms; a click on an ad is counted.`,
    )
  } catch {
    setText('ad-more', 'No node answers at the moment.')
  } finally {
    isAsking = false
  }
}

function fill(slot, ad, reason) {
  slot.classList.toggle('filled', Boolean(ad))
  if (!ad) {
    slot.textContent = reason ? `empty: ${reason}` : 'empty'
    return
  }
  const image = document.createElement('img')
  image.src = ad.assetUrl.replace(/^\//, '')
  image.alt = `ad of ${ad.campaignId}`
  image.title = ad.creativeId
  image.addEventListener('load', () => void beacon(ad.impUrl), { once: true })
  image.addEventListener('click', () => void click(ad), { once: true })
  slot.replaceChildren(image)
}

const beacon = (path) => fetch(`beacon?path=${encodeURIComponent(path)}`)

async function click(ad) {
  const { ok } = await beacon(ad.clickUrl)
  setText(
    'ad-more',
    ok ? `Click on ${ad.creativeId} counted.` : `Click on ${ad.creativeId} refused.`,
  )
}

// ---- listening ----

const AD_EVERY = 8
const STATES = {
  starting: ['starting', ''],
  running: ['live', 'good'],
  ending: ['ending', ''],
  over: ['finished', ''],
}
let seen = 0

const events = new EventSource('events')
events.addEventListener('error', () => setState('not connected', 'bad'))
events.addEventListener('summary', ({ data }) => {
  const { summary, title, elapsedMs, speed, notices, source, phase } = JSON.parse(data)
  const running = elapsedMs === undefined ? 'starting' : `running ${duration(elapsedMs)}`
  setText(
    'clock',
    `${title} · ${running} · scenario time ${moment(summary.scenarioNowMs)}, ${speed} x real time`,
  )
  setText('source', `Figures: ${source}.`)
  showTraffic(summary, phase === 'over' ? 'whole run' : 'last 10 s')
  showNodes(summary)
  showCampaigns(summary)
  showEvents(notices)
  if (phase === 'running' && seen++ % AD_EVERY === 0) void askForAds()
  if (phase === 'over') events.close()
  setState(...STATES[phase])
})

function setState(text, tone) {
  setText('state', text)
  $('state').className = `state ${tone}`
}
