import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'rolldown/utils'

/** Turns a TypeScript module into JavaScript as it is loaded, with a source map for stack traces. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const path = fileURLToPath(url)
  const { code, map, errors } = transformSync(path, await readFile(path, 'utf8'), {
    sourcemap: true,
    typescript: { onlyRemoveTypeImports: true },
  })
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`)
  const inline = Buffer.from(JSON.stringify(map)).toString('base64')
  const source = `${code}\n//# sourceMappingURL=data:application/json;base64,${inline}`
  return { format: 'module', source, shortCircuit: true }
}
