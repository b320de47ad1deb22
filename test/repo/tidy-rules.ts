import { Visitor, parseSync } from 'rolldown/utils'

/** A source file of the repository: its path from the root with `/`, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/**
 * The architecture, as a table: which packages, own and foreign, each workspace may import. README
 * and docs quote it; what is not listed is refused.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/crdt': [],
  'packages/actor': ['pino', 'nanoid'],
  'packages/cluster': ['@troupe/actor', '@troupe/crdt', 'ws', 'msgpackr'],
  'packages/replicator': ['@troupe/actor', '@troupe/cluster', '@troupe/crdt'],
  'packages/sharding': ['@troupe/actor', '@troupe/cluster', '@troupe/crdt', '@troupe/replicator'],
  'packages/testkit': ['@troupe/actor', '@troupe/cluster', 'vitest'],
  'apps/ad-server': [
    '@troupe/actor',
    '@troupe/cluster',
    '@troupe/crdt',
    '@troupe/replicator',
    '@troupe/sharding',
    'pino',
  ],
  'apps/ad-counter': [
    '@troupe/actor',
    '@troupe/cluster',
    '@troupe/crdt',
    '@troupe/replicator',
    'pino',
  ],
}

/** Entries for packages next door; applications have to do without. */
const NEIGHBOUR_ENTRIES = ['@troupe/actor/spi', '@troupe/cluster/spi', '@troupe/crdt/wire']

/**
 * The files that touch the outside world, by name. Everything else gets time, chance, timers,
 * network and disk from its platform.
 */
const EDGE_FILES =
  /(^|\/)(node-platform|node-disk|websocket-network|real-time|main|http-[a-z0-9-]+|[a-z0-9-]+-(transport|store|process|file))\.ts$/

const EDGE_MODULES =
  /^(node:)?(fs|net|http|https|http2|tls|dgram|dns|child_process|cluster|worker_threads|timers|perf_hooks|readline|os)(\/|$)/

const FORBIDDEN_GLOBALS = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
  'WebSocket',
])

const FORBIDDEN_MEMBERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['Date', new Set(['now'])],
  ['Math', new Set(['random'])],
  ['performance', new Set(['now', 'timeOrigin'])],
  ['crypto', new Set(['randomUUID', 'getRandomValues'])],
  ['process', new Set(['hrtime', 'nextTick'])],
])

const RANDOM_IMPORTS = new Set([
  'randomBytes',
  'randomUUID',
  'randomInt',
  'getRandomValues',
  'webcrypto',
])

export const LINES_MAX = 500

/** All violations of the house rules in `files`, as `path:line: sentence`. */
export function violations(files: readonly SourceFile[]): string[] {
  return [...files.flatMap(violationsIn), ...cycles(files)]
}

function violationsIn(file: SourceFile): string[] {
  const found: string[] = []
  const report = (offset: number, sentence: string): void => {
    found.push(`${file.path}:${lineAt(file.text, offset)}: ${sentence}`)
  }
  const lines = file.text.split('\n').length - 1
  if (lines > LINES_MAX)
    report(file.text.length, `${lines} lines; most is ${LINES_MAX}: what is the second idea in it?`)
  const { errors, module, program } = parsed(file)
  for (const error of errors) report(0, `cannot be parsed: ${error.message}`)
  for (const request of importsOf(file)) checkImport(file, request, report)
  for (const { start, entries } of module.staticExports) {
    for (const { importName, exportName } of entries) {
      if (importName.kind === 'AllButDefault' || importName.kind === 'All')
        report(start, 'export * hides what is public; name the exports')
      if (exportName.kind === 'Default' && isShipped(file))
        report(start, 'default export; give it a name')
    }
  }
  if (isShipped(file) && !EDGE_FILES.test(file.path)) checkGlobals(program, report)
  return found
}

const parsedBefore = new WeakMap<SourceFile, ReturnType<typeof parseSync>>()

function parsed(file: SourceFile): ReturnType<typeof parseSync> {
  const before = parsedBefore.get(file)
  if (before !== undefined) return before
  const result = parseSync(file.path, file.text)
  parsedBefore.set(file, result)
  return result
}

type Report = (offset: number, sentence: string) => void

interface ImportRequest {
  readonly module: string
  readonly start: number
  readonly names: readonly string[]
  readonly isType: boolean
}

function importsOf(file: SourceFile): ImportRequest[] {
  const { module } = parsed(file)
  const fromImports = module.staticImports.map(({ moduleRequest, entries, start }) => ({
    module: moduleRequest.value,
    start,
    names: entries.map(({ importName }) => importName.name ?? ''),
    isType: entries.length > 0 && entries.every(({ isType }) => isType),
  }))
  const fromExports = module.staticExports.flatMap(({ entries, start }) =>
    entries.flatMap(({ moduleRequest, isType }) =>
      moduleRequest === null ? [] : [{ module: moduleRequest.value, start, names: [], isType }],
    ),
  )
  const dynamic = module.dynamicImports.map(({ moduleRequest, start }) => ({
    module: file.text.slice(moduleRequest.start, moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
    start,
    names: [],
    isType: false,
  }))
  return [...fromImports, ...fromExports, ...dynamic]
}

function checkImport(file: SourceFile, request: ImportRequest, report: Report): void {
  const workspace = workspaceOf(file.path)
  const allowed = MAY_IMPORT[workspace]
  if (allowed === undefined) return
  const { module, start } = request
  if (module.startsWith('.')) {
    if (!resolved(file.path, module).startsWith(`${workspace}/`))
      report(start, `${module} leaves ${workspace}`)
    return
  }
  if (
    /^(node:|[a-z_]+$)/.test(module) &&
    (module.startsWith('node:') || EDGE_MODULES.test(module))
  ) {
    if (!isShipped(file) || EDGE_FILES.test(file.path)) return
    if (EDGE_MODULES.test(module))
      report(start, `${module} is the outside world; take it from the platform`)
    const drawn = request.names.find((name) => RANDOM_IMPORTS.has(name))
    if (drawn !== undefined) report(start, `${drawn} is chance; take it from the platform`)
    if (workspace === 'packages/crdt')
      report(start, `${module}: this package runs in a browser too`)
    return
  }
  const name = packageOf(module)
  if (!isShipped(file) && (name === 'vitest' || name === 'fast-check')) return
  if (`@troupe/${workspace.split('/')[1]}` === name)
    report(start, `${workspace} imports itself by name`)
  else if (!allowed.includes(name)) report(start, `${workspace} may not import ${name}`)
  else if (workspace.startsWith('apps/') && NEIGHBOUR_ENTRIES.includes(module)) {
    report(start, `${module} is for packages next door; applications use the main entry`)
  }
}

function checkGlobals(program: ReturnType<typeof parseSync>['program'], report: Report): void {
  const declared = new Set<string>()
  const used: { readonly name: string; readonly start: number }[] = []
  const members = new Set<number>()
  new Visitor({
    ImportSpecifier: ({ local }) => void declared.add(local.name),
    FunctionDeclaration: ({ id }) => void (id && declared.add(id.name)),
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'Identifier') declared.add(id.name)
      if (id.type === 'ObjectPattern' && init?.type === 'Identifier') {
        if (init.name === 'globalThis' || FORBIDDEN_MEMBERS.has(init.name)) {
          report(
            init.start,
            `parts of ${init.name} taken apart; time and chance come from the platform`,
          )
        }
      }
    },
    MemberExpression: ({ object, property, computed }) => {
      if (!computed) members.add(property.start)
      if (object.type !== 'Identifier' || computed || property.type !== 'Identifier') return
      const isForbidden =
        FORBIDDEN_MEMBERS.get(object.name)?.has(property.name) === true ||
        (object.name === 'globalThis' && FORBIDDEN_GLOBALS.has(property.name))
      if (isForbidden)
        report(object.start, `${object.name}.${property.name}: take it from the platform`)
    },
    Property: ({ key, computed, shorthand }) => {
      if (!computed && !shorthand) members.add(key.start)
    },
    NewExpression: ({ callee, arguments: args, start }) => {
      if (callee.type === 'Identifier' && callee.name === 'Date' && args.length === 0) {
        report(start, 'new Date() reads the clock; take it from the platform')
      }
    },
    CallExpression: ({ callee, start }) => {
      if (callee.type === 'Identifier' && callee.name === 'Date')
        report(start, 'Date() reads the clock; take it from the platform')
      if (callee.type === 'Identifier') used.push({ name: callee.name, start: callee.start })
    },
    Identifier: ({ name, start }) => {
      if (FORBIDDEN_GLOBALS.has(name)) used.push({ name, start })
    },
  }).visit(program)
  const reported = new Set<number>()
  for (const { name, start } of used) {
    if (
      !FORBIDDEN_GLOBALS.has(name) ||
      declared.has(name) ||
      members.has(start) ||
      reported.has(start)
    )
      continue
    reported.add(start)
    report(start, `${name}: take it from the platform`)
  }
}

/** Import cycles between files; type-only imports vanish and do no harm. */
function cycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ module, isType }) => module.startsWith('.') && !isType)
        .map(({ module }) => resolved(file.path, module))
        .filter((path) => byPath.has(path)),
    ]),
  )
  const found: string[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      found.push(`${path}:1: import cycle: ${[...trail.slice(at), path].join(' -> ')}`)
      return
    }
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return found
}

/** Tests and their support may use what they like; what ships may not. */
function isShipped({ path }: SourceFile): boolean {
  return /^(packages|apps)\/[^/]+\/src\//.test(path) && !/\.(test|test-support)\.ts$/.test(path)
}

function workspaceOf(path: string): string {
  return path.split('/').slice(0, 2).join('/')
}

function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')
}

function resolved(from: string, module: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of module.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
