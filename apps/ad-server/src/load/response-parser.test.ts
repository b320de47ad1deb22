import { describe, expect, it } from 'vitest'
import { ResponseParser } from './response-parser.ts'

const answersTo = (...pieces: string[]) => {
  const answers: { status: number; body: string; reason: string | undefined }[] = []
  const parser = new ResponseParser(({ status, headers, body }) => {
    answers.push({ status, body, reason: headers.get('x-ad-reason') })
  })
  for (const piece of pieces) parser.push(piece)
  return { answers, isEmpty: parser.isEmpty }
}

const AD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nad'
const NONE = 'HTTP/1.1 204 No Content\r\nX-Ad-Reason: paced\r\nDate: today\r\n\r\n'
const CHUNKED =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n'

describe('ResponseParser', () => {
  it('reads answers that arrive together, in order', () => {
    const { answers, isEmpty } = answersTo(AD + NONE + CHUNKED)

    expect(answers).toEqual([
      { status: 200, body: 'ad', reason: undefined },
      { status: 204, body: '', reason: 'paced' },
      { status: 200, body: 'abcd', reason: undefined },
    ])
    expect(isEmpty).toBe(true)
  })

  it('reads the same answers from single bytes', () => {
    expect(answersTo(...(AD + NONE + CHUNKED).split(''))).toEqual(answersTo(AD + NONE + CHUNKED))
  })

  it('knows that an answer is not complete', () => {
    expect(answersTo(AD.slice(0, -1))).toEqual({ answers: [], isEmpty: false })
  })

  it('counts bytes, not characters', () => {
    const body = Buffer.from('"é"').toString('latin1')

    expect(answersTo(`HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n${body}${AD}`).answers).toEqual([
      { status: 200, body: '"é"', reason: undefined },
      { status: 200, body: 'ad', reason: undefined },
    ])
  })

  it.each([
    ['another protocol', 'SSH-2.0-server\r\n\r\n', 'not an HTTP/1.1 answer'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\n', 'how long it is'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n', 'how long it is'],
    ['a broken chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n', 'a chunk'],
    ['a nameless header', 'HTTP/1.1 200 OK\r\n: 1\r\n\r\n', 'a header without a name'],
    ['no end', 'x'.repeat(1_000_001), 'longer than'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => answersTo(bytes)).toThrow(message)
  })
})
