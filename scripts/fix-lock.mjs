// node scripts/fix-lock.mjs [--check] [LOCK_FILE]
//
// Tools with a binary per platform name all of these binaries as optional packages. A registry mirror
// may lack those of other platforms; npm then leaves them out of the lock file, and `npm ci` refuses
// such a lock file on every machine. This adds an entry for each. `--check` only reports, and also
// reports addresses of registries, which would send everyone to the mirror of whoever wrote the file.
// Run it after every change of a dependency.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const args = process.argv.slice(2)
const check = args.includes('--check')
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const file = args.find((arg) => !arg.startsWith('-')) ?? join(root, 'package-lock.json')

const lock = JSON.parse(readFileSync(file, 'utf8'))
const missing = missingPlatformPackages(lock.packages)
const addressed = Object.keys(lock.packages).filter((at) =>
  /^(https?|git|ssh)/.test(lock.packages[at].resolved ?? ''),
)

if (check) {
  for (const { name, version } of missing) console.log(`missing: ${name}@${version}`)
  for (const at of addressed) console.log(`names a registry: ${at}`)
  if (missing.length + addressed.length > 0) {
    console.log('run `node scripts/fix-lock.mjs` and commit the lock file')
    process.exitCode = 1
  }
} else if (missing.length + addressed.length > 0) {
  for (const { at, entry } of missing) lock.packages[at] = entry
  for (const at of addressed) delete lock.packages[at].resolved
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPath))
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${missing.length} platform packages added, ${addressed.length} addresses removed`)
}

/** Every optional package that some entry names and that has no entry of its own where Node would look. */
function missingPlatformPackages(packages) {
  const found = new Map()
  for (const [at, parent] of Object.entries(packages)) {
    const names = { ...parent.optionalDependencies }
    for (const [name, meta] of Object.entries(parent.peerDependenciesMeta ?? {})) {
      if (meta.optional) delete names[name]
    }
    for (const [name, version] of Object.entries(names)) {
      if (isReachable(packages, at, name)) continue
      if (!/^\d+\.\d+\.\d+/.test(version)) {
        throw new Error(
          `${name}: ${at} asks for the range ${version}, and only npm knows which version that is; ` +
            'run `npm install --package-lock-only` against a registry that has it',
        )
      }
      found.set(name, {
        at: `node_modules/${name}`,
        name,
        version,
        entry: entryFor(name, version, parent),
      })
    }
  }
  return [...found.values()]
}

/** Walks up from `from` the way Node resolves. */
function isReachable(packages, from, name) {
  for (let at = from; ;) {
    if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`] !== undefined) return true
    if (at === '') return false
    at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))
  }
}

/** What npm would have written, as far as the name of the package tells. */
function entryFor(name, version, parent) {
  const system = /darwin|win32|windows|android|freebsd|openbsd|netbsd|aix|sunos|openharmony/.exec(
    name,
  )
  const cpu = /arm64|ppc64|riscv64|s390x|loong64|mips64el|wasm32|ia32|arm/.exec(name)
  const libc = name.includes('musl') ? 'musl' : name.includes('-gnu') ? 'glibc' : undefined
  return {
    version,
    cpu: [cpu?.[0] ?? 'x64'],
    ...(parent.dev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    ...(cpu?.[0] === 'wasm32' ? {} : { os: [system?.[0].replace('windows', 'win32') ?? 'linux'] }),
  }
}

function byPath([a], [b]) {
  return a.localeCompare(b, 'en')
}
