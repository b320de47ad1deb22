import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SourceFile } from './tidy-rules.ts'

export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Every TypeScript file under `folders`, without what is built or installed. */
export function sourcesIn(folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    filesIn(join(root, folder))
      .filter((path) => path.endsWith('.ts'))
      .map((path) => ({
        path: relative(root, path).split(sep).join('/'),
        text: readFileSync(path, 'utf8'),
      })),
  )
}

export function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return IGNORED.has(entry.name) ? [] : filesIn(path)
    return [path]
  })
}

const IGNORED = new Set(['node_modules', 'dist', '.tsbuild', '.turbo'])
