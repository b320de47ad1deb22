import { readFileSync } from 'node:fs'

/**
 * Calls `stop` once when the process that started this one is gone. `npm start` runs npm, a shell and
 * node one below the other; a signal to npm alone (a supervisor's SIGTERM, a kill -9) never reaches
 * node. So the parent is watched, and when that is npm's shell, npm as well. `startedBy`: one more
 * process to watch, 0 for none.
 */
export function onParentsGone(stop, startedBy = 0) {
  const parent = process.ppid
  const npm = isShell(parent) && process.env['npm_lifecycle_event'] ? parentOf(parent) : 0
  const timer = setInterval(() => {
    const gone =
      process.ppid !== parent ||
      !isAlive(parent) ||
      (npm > 1 && parentOf(parent) !== npm) ||
      (startedBy > 1 && !isAlive(startedBy))
    if (!gone) return
    clearInterval(timer)
    stop()
  }, 250)
  timer.unref()
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** The parent's process id; 0 where the host does not tell. */
function parentOf(pid) {
  return Number(statOf(pid).afterName[1] ?? 0)
}

function isShell(pid) {
  return /^(ba|da|a|z|k|)sh$/.test(statOf(pid).name)
}

/** Linux keeps it in /proc: `pid (name) state ppid ...`, and the name may contain anything. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const end = stat.lastIndexOf(')')
    return {
      name: stat.slice(stat.indexOf('(') + 1, end),
      afterName: stat.slice(end + 2).split(' '),
    }
  } catch {
    return { name: '', afterName: [] }
  }
}
