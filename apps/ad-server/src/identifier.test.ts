import { describe, expect, it } from 'vitest'
import { ID_LENGTH_MAX, URL_LENGTH_MAX, identifierFault, urlFault } from './identifier.ts'

describe('an id', () => {
  it.each(['site-123', 'slot banner', 'créatif-1', '広告', 'a'.repeat(ID_LENGTH_MAX)])(
    'may be %j',
    (text) => {
      expect(identifierFault(text)).toBeUndefined()
    },
  )

  it.each([
    ['', 'is empty'],
    ['a'.repeat(ID_LENGTH_MAX + 1), 'is longer than 128 characters'],
    ['site|slot', 'contains a bar (|)'],
    ['a\r\nSet-Cookie: x', 'contains control characters'],
    ['a\u0000', 'contains control characters'],
    ['a\u0085b', 'contains control characters'],
    ['\u202eevil', 'contains direction marks'],
    ['half \ud800', 'contains half a character'],
  ])('may not be %j', (text, fault) => {
    expect(identifierFault(text)).toBe(fault)
  })
})

describe('an address', () => {
  it.each(['https://example.test/', 'http://example.test/a?b=c|d', '/blog/tags/puppet'])(
    'may be %j',
    (text) => {
      expect(urlFault(text)).toBeUndefined()
    },
  )

  it.each([
    ['javascript:alert(1)', 'is neither an http(s) address nor a path'],
    ['https:///x', 'is neither an http(s) address nor a path'],
    ['//evil.example/', 'is neither an http(s) address nor a path'],
    ['/\\evil.example/', 'is neither an http(s) address nor a path'],
    ['/a b', 'contains a space'],
    ['/a\nb', 'contains control characters'],
    ['/' + 'a'.repeat(URL_LENGTH_MAX), 'is longer than 1024 characters'],
  ])('may not be %j', (text, fault) => {
    expect(urlFault(text)).toBe(fault)
  })
})
