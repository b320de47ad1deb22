import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AdServerError } from '../errors.ts'
import type { RecordedFile, Recordings } from './replay.ts'

/** Reads the recordings of a folder. Throws `REPLAY_UNREADABLE`, in one sentence, when files are missing. */
export async function readRecordings(folder: string): Promise<Recordings> {
  const weblog = await read(folder, 'weblog/requests.tsv')
  const trafficFiles = await list(folder, 'traffic', /^volume-.+\.csv$/, 'volume-NAME.csv')
  const cpmFiles = await list(
    folder,
    'ad-exchange',
    /^exchange-.+-cpm\.csv$/,
    'exchange-NAME-cpm.csv and exchange-NAME-cpc.csv',
  )
  const traffic: RecordedFile[] = []
  for (const file of trafficFiles) traffic.push(await read(folder, file))
  const exchanges = []
  for (const file of cpmFiles) {
    const id = file.slice('ad-exchange/'.length, -'-cpm.csv'.length)
    const cpm = await read(folder, file)
    exchanges.push({ id, cpm, cpc: await read(folder, file.replace(/-cpm\.csv$/, '-cpc.csv')) })
  }
  return { weblog, traffic, exchanges }
}

async function read(folder: string, file: string): Promise<RecordedFile> {
  try {
    return { file, text: await readFile(join(folder, file), 'utf8') }
  } catch (cause) {
    throw unreadable(folder, file, cause)
  }
}

async function list(
  folder: string,
  within: string,
  pattern: RegExp,
  wanted: string,
): Promise<string[]> {
  try {
    const names = (await readdir(join(folder, within))).filter((name) => pattern.test(name)).sort()
    if (names.length > 0) return names.map((name) => `${within}/${name}`)
  } catch (cause) {
    throw unreadable(folder, `${within}/`, cause)
  }
  throw new AdServerError(
    'REPLAY_UNREADABLE',
    `--replay ${folder}: ${within}/ holds no ${wanted}; ${LAYOUT}`,
  )
}

function unreadable(folder: string, file: string, cause: unknown): AdServerError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  const why =
    { ENOENT: 'is missing', EACCES: 'may not be read' }[code] ?? `cannot be read (${code})`
  return new AdServerError('REPLAY_UNREADABLE', `--replay ${folder}: ${file} ${why}; ${LAYOUT}`, {
    cause,
  })
}

const LAYOUT =
  'the folder must hold weblog/requests.tsv, traffic/volume-*.csv and ad-exchange/exchange-*-{cpm,cpc}.csv'
