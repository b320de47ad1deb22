import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseScenario } from '../../apps/ad-server/src/scenario.ts'
import { replayDrive } from '../../apps/ad-server/src/scenario/replay.ts'
import { readRecordings } from '../../apps/ad-server/src/scenario/replay-file.ts'

const scratch = mkdtempSync(join(tmpdir(), 'troupe-replay-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const GOOD: Readonly<Record<string, string>> = {
  'weblog/requests.tsv':
    '\uFEFFtime\tvisitor\tmethod\tpath\tstatus\tbytes\tagent\r\n' +
    '2015-05-17T10:05:03+00:00\t1\tGET\t/blog/\t200\t10\tbrowser\r\n' +
    '2015-05-17T10:05:04+00:00\t1\tGET\t/style.css\t200\t10\tbrowser\r\n',
  'traffic/volume-A.csv': 'timestamp,value\n2015-02-26 21:42:53,10\nbroken\n',
  'traffic/volume-B.csv': 'timestamp,value\n2015-02-26 21:42:53,3\n',
  'traffic/notes.txt': 'not a recording',
  'ad-exchange/exchange-7-cpm.csv': 'timestamp,value\n2011-07-01 00:00:01,0.4\n',
  'ad-exchange/exchange-7-cpc.csv': 'timestamp,value\n2011-07-01 00:00:01,0.1\n',
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(scratch, 'recordings-'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return folder
}

const without = (file: string) => {
  const { [file]: _, ...others } = GOOD
  return others
}

describe('a folder of recordings', () => {
  it('is read to the last row: each is used, or refused with a reason', async () => {
    const folder = folderWith(GOOD)
    const drive = replayDrive(folder, await readRecordings(folder), { slotsPerDay: 1_000 })

    expect(parseScenario(drive.scenario).ok).toBe(true)
    expect(drive.rows.map(({ file, read, used }) => [file, read, used])).toEqual([
      ['weblog/requests.tsv', 2, 1],
      ['traffic/volume-A.csv', 2, 1],
      ['traffic/volume-B.csv', 1, 1],
      ['ad-exchange/exchange-7-cpm.csv', 1, 1],
      ['ad-exchange/exchange-7-cpc.csv', 1, 1],
    ])
    for (const { read, used, refused } of drive.rows)
      expect(used + Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(read)
  })

  it.each([
    ['weblog/requests.tsv', /weblog\/requests\.tsv is missing; the folder must hold/],
    ['ad-exchange/exchange-7-cpc.csv', /ad-exchange\/exchange-7-cpc\.csv is missing; the folder/],
    ['ad-exchange/exchange-7-cpm.csv', /ad-exchange\/ holds no exchange-NAME-cpm\.csv and/],
  ])('that lacks %s is refused in one sentence', async (file, message) => {
    await expect(readRecordings(folderWith(without(file)))).rejects.toThrow(message)
  })

  it('that is not there is refused in one sentence', async () => {
    await expect(readRecordings(join(scratch, 'nowhere'))).rejects.toMatchObject({
      code: 'REPLAY_UNREADABLE',
      message: expect.stringContaining('weblog/requests.tsv is missing') as unknown,
    })
  })
})
