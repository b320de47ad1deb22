import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './repository.ts'

/**
 * The code blocks of README and docs as files, next to the tests so that they resolve packages as
 * the tests do. A block fenced as `ts` is a whole program or a whole test and is run; `ts fragment`
 * is a part of one and is not.
 */
export interface Example {
  /** `README-1`: the page and the number of the block in it. */
  readonly name: string
  readonly file: string
  readonly code: string
  /** What it says it prints: the texts after `// prints`. */
  readonly prints: readonly string[]
  readonly isTest: boolean
}

export const examplesFolder: string = join(root, 'test/.examples')

export function writeExamples(): Example[] {
  rmSync(examplesFolder, { recursive: true, force: true })
  mkdirSync(examplesFolder, { recursive: true })
  return pages().flatMap((page) => examplesOf(page))
}

function pages(): string[] {
  const docs = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
  return ['README.md', ...docs.toSorted()]
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ''], index) => {
    const name = `${page.replace(/^docs\/|\.md$/g, '')}-${index + 1}`
    const isTest = /from 'vitest'|from '@troupe\/testkit\/simulation'/.test(code)
    const file = join(examplesFolder, `${name}.ts`)
    writeFileSync(file, code)
    const prints = [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, line = '']) => line)
    return { name, file, code, prints, isTest }
  })
}
