import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Command, descendantsOf, gone, root, startFake } from './start-command.ts'

// The launcher, with a stand-in for the node: what it starts, watches, drives, shows and ends.

const scratch = mkdtempSync(join(tmpdir(), 'troupe-start-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const sumOf = (counts: unknown) =>
  Object.values(counts as Record<string, number>).reduce((sum, count) => sum + count, 0)

describe('a run of the launcher', () => {
  it('drives all nodes, reports every figure, removes its temporary folder and exits with 0', async () => {
    const report = await startFake(['--for', '2s', '--rate', '200', '--json', '--page-port', '0'], {
      TMPDIR: scratch,
    }).report()

    expect(report.ended.code).toBe(0)
    expect(report).toMatchObject({
      nodes: 3,
      nodesUp: 3,
      httpErrors: 0,
      retries: 0,
      replicasAgree: true,
      indexEntries: 360,
      spendMicros: 2_500_000,
      budgetMicros: 10_000_000,
      dropped: 0,
      gossipBytes: 3_000,
    })
    const { requests, served, ads, impressions, noContent } = report as unknown as {
      readonly [name: string]: number
    }
    expect(requests).toBeGreaterThan(200)
    expect(requests).toBe((served ?? 0) + sumOf(noContent))
    expect(ads).toBe(3 * (served ?? 0))
    expect(impressions).toBe(ads)
    expect(readdirSync(scratch)).toEqual([])
  })

  it('survives kills: every request is answered, by another node when its own is gone', async () => {
    const flags = '--for 7s --rate 200 --json --page-port 0 --kill'
    const report = await startFake(flags.split(' ')).report()

    expect(report.ended.code).toBe(0)
    expect(report).toMatchObject({ nodesUp: 3, kills: 1, restarts: 1, httpErrors: 0 })
    expect(report.ended.stderr).toMatch(/node-\d was killed \(SIGKILL\)\n.*node-\d is back/)
  })

  it('shows plain lines where there is no terminal', async () => {
    const { code, stdout } = await startFake(['--for', '2s', '--page-port', '0']).ended

    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^Troupe ad server, built-in; live page at http:\/\/127\.0\.0\.1:\d+\/\nFigures: prices and clicks: /,
    )
    expect(stdout).toContain('  3/3 nodes up  ')
    expect(stdout).toMatch(/node-3 {2}up /)
    expect(stdout.endsWith('All nodes have left the cluster.\n')).toBe(true)
    expect(stdout).not.toContain('\u001b')
  })
})

describe('the end of the launcher', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('is in order on %s', async (signal) => {
    const command = startFake(['--page-port', '0'])
    await command.says(/3\/3 nodes up/)
    const nodes = descendantsOf(command.process.pid ?? 0)
    expect(nodes).toHaveLength(3)
    command.process.kill(signal)

    const { code, stdout } = await command.ended
    expect(code).toBe(0)
    expect(stdout.endsWith('All nodes have left the cluster.\n')).toBe(true)
    await gone(nodes, 0)
  })

  it('comes when nobody reads what it says any more', async () => {
    const command = startFake(['--page-port', '0'])
    await command.says(/3\/3 nodes up/)
    const nodes = descendantsOf(command.process.pid ?? 0)
    command.process.stdout?.destroy()

    expect((await command.ended).code).toBe(0)
    await gone(nodes, 0)
  })

  it('leaves no node behind when it is killed', async () => {
    const command = startFake(['--page-port', '0', '--data', join(scratch, 'killed')])
    await command.says(/3\/3 nodes up/)
    const nodes = descendantsOf(command.process.pid ?? 0)
    expect(nodes).toHaveLength(3)
    command.process.kill('SIGKILL')

    await gone(nodes, 5_000)
  })
})

describe('what the launcher refuses, in one sentence', () => {
  let server: Server
  let busyPort = 0
  beforeAll(async () => {
    server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    busyPort = typeof address === 'object' && address !== null ? address.port : 0
  })
  afterAll(() => server.close())

  const refusals: readonly (readonly [string, () => readonly string[], number, RegExp])[] = [
    ['an unknown flag', () => ['--fast'], 2, /^--fast is not a flag; --help lists all flags\n$/],
    [
      'a busy page port somebody asked for',
      () => ['--page-port', String(busyPort)],
      1,
      /^port \d+ is in use; choose another one with --page-port, or end the program that has it\n$/,
    ],
    [
      'a busy port for the nodes',
      () => ['--page-port', '0', '--port', String(busyPort)],
      1,
      /^port \d+ is in use; choose another one with --port, or end the program that has it\n$/,
    ],
    [
      'a data folder that is a file',
      () => {
        writeFileSync(join(scratch, 'file'), '')
        return ['--page-port', '0', '--data', join(scratch, 'file')]
      },
      1,
      /^the data folder .*file is not a folder; choose another one with --data\n$/,
    ],
    [
      'a data folder another run has',
      () => {
        writeFileSync(join(scratch, 'in-use-by'), String(process.pid))
        return ['--page-port', '0', '--data', scratch]
      },
      1,
      /^the data folder .* is in use by process \d+; end that one, or choose another folder with --data\n$/,
    ],
    [
      'a read-only data folder',
      () => ['--page-port', '0', '--data', '/proc/troupe'],
      1,
      /^the data folder \/proc\/troupe .*; choose another one with --data\n$/,
    ],
    [
      'recordings that are not there',
      () => ['--replay', join(scratch, 'nothing')],
      1,
      /^--replay .*nothing: weblog\/requests\.tsv is missing; the folder must hold .*\n$/,
    ],
  ]
  it.each(refusals)('%s', async (_, args, expectedCode, message) => {
    const { code, stdout, stderr } = await startFake(['--for', '1s', ...args()]).ended

    expect(stderr).toMatch(message)
    expect(code).toBe(expectedCode)
    expect(stdout).toBe('')
  })

  it('a Node that is too old', async () => {
    const pretend = join(scratch, 'old-node.cjs')
    const versions = "{ value: { ...process.versions, node: '18.20.0' } }"
    writeFileSync(pretend, `Object.defineProperty(process, 'versions', ${versions})\n`)
    const start = new Command(['--require', pretend, `${root}scripts/start.mjs`], {})
    const { code, stdout, stderr } = await start.ended

    expect(stderr).toBe(
      'Node 18.20.0 is too old: install Node 20.19 or newer (https://nodejs.org), then run the command again.\n',
    )
    expect(code).toBe(1)
    expect(stdout).toBe('')
  })

  it('but a page port nobody asked for gives way to the next', async () => {
    const taken = createServer()
    // Port 8080 may be somebody else's on this machine: then it is busy all the same.
    taken.on('error', () => undefined)
    await new Promise<void>((resolve) => {
      taken.listen(8080, '127.0.0.1', resolve).once('error', () => resolve())
    })
    const { code, stdout } = await startFake(['--for', '1s']).ended
    taken.close()

    expect(code).toBe(0)
    expect(stdout).toMatch(
      /port 8080 is in use, so the page is at http:\/\/127\.0\.0\.1:80[89]\d\//,
    )
  })
})

describe('the live page', () => {
  let url = ''
  let command: ReturnType<typeof startFake>
  beforeAll(async () => {
    command = startFake(['--page-port', '0'])
    url = (await command.says(/live page at (\S+)\n[^]*3\/3 nodes up/))[1] ?? ''
  })
  afterAll(async () => {
    command.process.kill('SIGTERM')
    await command.ended
  })

  it('is made of a few files of its own', async () => {
    const page = await fetch(url)
    const html = await page.text()

    expect(page.headers.get('content-security-policy')).toBe("default-src 'self'")
    expect(html).toContain('<title>Troupe ad server</title>')
    expect(html).not.toMatch(/https?:/)
    for (const [, file] of html.matchAll(/(?:href|src)="([^"]+)"/g))
      expect((await fetch(`${url}${file ?? ''}`)).status).toBe(200)
  })

  it('hears the figures as they change', async () => {
    const response = await fetch(`${url}events`)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (reader !== undefined && text.split('event: summary\n').length < 4)
      text += (await reader.read()).value ?? ''
    await reader?.cancel()
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(
      ([, json]) => JSON.parse(json ?? '') as { summary: { requests: number; nodesUp: number } },
    )

    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(events.at(-1)?.summary.nodesUp).toBe(3)
    expect(events.at(-1)?.summary.requests).toBeGreaterThan(events[0]?.summary.requests ?? Infinity)
  })

  it('shows what a node serves, and hands its beacons on', async () => {
    let answer: { status: number; ads: ({ impUrl: string; assetUrl: string } | null)[] }
    do answer = (await (await fetch(`${url}ad`)).json()) as typeof answer
    while (answer.status !== 200)
    const [ad] = answer.ads
    const beacon = await fetch(`${url}beacon?path=${encodeURIComponent(ad?.impUrl ?? '')}`)
    const image = await fetch(new URL(ad?.assetUrl ?? '', url))

    expect(beacon.status).toBe(204)
    expect(image.headers.get('content-type')).toBe('image/svg+xml')
    expect(await image.text()).toContain('desk lamp')
  })

  it.each([
    ['a path that is no beacon', 'beacon?path=%2Fmembers', 400],
    ['a beacon with a line end', 'beacon?path=%2Fv1%2Fimp%3F%0D%0AHost%3A', 400],
    ['an unknown file', '..%2fpackage.json', 404],
    ['an unknown creative', 'creatives/x.svg', 404],
  ])('refuses %s', async (_, path, status) => {
    expect((await fetch(`${url}${path}`)).status).toBe(status)
  })

  it('answers nobody who came by another name', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(url, { headers: { host: 'attacker.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })

    expect(status).toBe(403)
  })
})
