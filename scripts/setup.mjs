// Brings node_modules in line with the lock file; does nothing when it already is. Uses built-in
// modules only, because it runs before anything is installed. Syntax of ES2019 at most: together with
// the check of the version it is what a too old Node still has to understand.
import './lib/node-version.mjs'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, 'node_modules', '.setup-stamp')
const lockFolder = join(root, '.setup-lock')
const WAIT_MAX_MS = 10 * 60000

/** Resolves when the packages are in place. Otherwise says why in one sentence and ends the process. */
export async function setUp() {
  try {
    if (isCurrent()) return
    await withLock(async () => {
      if (isCurrent()) return
      if (!treeEqualsLock()) await install()
      fs.writeFileSync(stampFile, wantedStamp())
    })
  } catch (error) {
    console.error(`set-up: ${explain(error)}`)
    process.exit(1)
  }
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  void setUp()

// ---- is there anything to do? ----

function isCurrent() {
  return readOr(stampFile, '') === wantedStamp()
}

/** Changes with anything that decides which packages belong into node_modules. */
function wantedStamp() {
  const hash = createHash('sha256')
  hash.update(`${process.platform} ${process.arch} ${process.versions.modules}`)
  for (const file of manifests())
    hash.update(`\0${file}\0`).update(fs.readFileSync(join(root, file)))
  return hash.digest('hex')
}

function manifests() {
  const inFolder = (folder) =>
    readFolder(join(root, folder))
      .sort()
      .map((name) => join(folder, name, 'package.json'))
      .filter((file) => fs.existsSync(join(root, file)))
  return [
    'package.json',
    'package-lock.json',
    ...inFolder('packages'),
    ...inFolder('apps'),
    join('test', 'package.json'),
  ]
}

/** True when a hand-run `npm install` or `npm ci` has left just what the lock file asks for. */
function treeEqualsLock() {
  const record = readOr(join(root, 'node_modules', '.package-lock.json'), '')
  if (record === '') return false
  const installed = JSON.parse(record).packages
  const wanted = JSON.parse(fs.readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  return Object.keys(wanted)
    .filter((at) => at.includes('node_modules/'))
    .every((at) => isInstalled(at, wanted[at], installed[at]))
}

function isInstalled(at, wanted, installed) {
  if (installed === undefined) return isForOthers(wanted)
  if (wanted.version !== installed.version || wanted.link !== installed.link) return false
  if (wanted.integrity && wanted.integrity !== installed.integrity) return false
  return fs.existsSync(join(root, at))
}

/** Binaries of other platforms, and what only these need, are in the lock file and nowhere else. */
function isForOthers(wanted) {
  if (!wanted.optional && !wanted.devOptional) return false
  if (!wanted.os && !wanted.cpu) return true
  const fits = (list, ours) => list === undefined || list.includes(ours)
  return !(
    fits(wanted.os, process.platform) &&
    fits(wanted.cpu, process.arch) &&
    fits(wanted.libc, usesMusl() ? 'musl' : 'glibc')
  )
}

function usesMusl() {
  return readFolder('/lib').some((name) => name.startsWith('ld-musl-'))
}

// ---- installing ----

async function install() {
  console.error('set-up: installing packages (npm ci), this happens once ...')
  // The packages of the lock file that are in npm's cache are taken from there: works offline.
  const args = ['ci', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund']
  args.push('--loglevel=error')
  const env = { ...process.env }
  for (const name of ['workspace', 'workspaces', 'omit', 'production', 'dry_run', 'global']) {
    delete env[`npm_config_${name}`]
  }
  const npm = process.env.npm_execpath
  const options = { cwd: root, env, stdio: ['ignore', 2, 2] }
  const child =
    npm && npm.endsWith('npm-cli.js')
      ? spawn(process.execPath, [npm, ...args], options)
      : spawn('npm', args, { ...options, shell: process.platform === 'win32' })
  fs.writeFileSync(join(lockFolder, 'npm-pid'), String(child.pid))
  let interruptedBy = ''
  const relay = (signal) => {
    interruptedBy = signal
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, relay)
  const failure = await new Promise((resolve) => {
    child.on('error', (error) =>
      resolve(error.code === 'ENOENT' ? 'npm was not found' : error.message),
    )
    child.on('exit', (code, signal) => resolve(signal || (code === 0 ? '' : `exit code ${code}`)))
  })
  for (const signal of signals) process.removeListener(signal, relay)
  if (interruptedBy !== '') {
    throw new Error(`interrupted by ${interruptedBy} while installing; run the command again`)
  }
  if (failure !== '') {
    throw new Error(
      `npm ci failed (${failure}); without a network the packages must be in npm's cache already`,
    )
  }
}

// ---- one at a time ----

async function withLock(work) {
  await takeLock()
  try {
    fs.writeFileSync(join(lockFolder, 'pid'), String(process.pid))
    await work()
  } finally {
    fs.rmSync(lockFolder, { recursive: true, force: true })
  }
}

async function takeLock() {
  const giveUpAt = Date.now() + WAIT_MAX_MS
  for (let tries = 0; ; tries++) {
    try {
      fs.mkdirSync(lockFolder)
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned()) {
      // Renaming succeeds for one of several takers only.
      const grave = `${lockFolder}.${process.pid}`
      try {
        fs.renameSync(lockFolder, grave)
        fs.rmSync(grave, { recursive: true, force: true })
      } catch {
        // Somebody else was faster; the next round sees what they did.
      }
      continue
    }
    if (Date.now() > giveUpAt) {
      throw new Error(`another set-up holds ${lockFolder}; if none is running, remove that folder`)
    }
    if (tries === 0) console.error('set-up: waiting for another set-up to finish ...')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** A lock whose set-up and whose npm are both gone. A killed set-up may leave its npm at work. */
function isAbandoned() {
  const pids = ['pid', 'npm-pid'].map((name) => Number(readOr(join(lockFolder, name), '')))
  if (pids[0] > 0) return !pids.some((pid) => pid > 0 && isAlive(pid))
  try {
    // Between making the folder and writing the pid there is only a moment.
    return Date.now() - fs.statSync(lockFolder).mtimeMs > 5000
  } catch {
    return false
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

// ---- files ----

function readOr(file, otherwise) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return otherwise
  }
}

function readFolder(folder) {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}

function explain(error) {
  if (error.code === 'EROFS' || error.code === 'EACCES' || error.code === 'EPERM') {
    return `${root} cannot be written to (${error.code}); copy the repository to a folder of your own and run the command there`
  }
  if (error.code === 'ENOSPC') return `the disk is full; make room and run the command again`
  return error.message
}
