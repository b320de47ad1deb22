// node --import ./scripts/lib/stop-with-parent.mjs ...
// Whoever starts children with the same arguments (child_process.fork does) hands this on to them:
// when a process in the tree dies, however it dies, all below it are told to stop.
import { onParentsGone } from './parents.mjs'

/** A program that has not ended by then, in good order, is ended. */
const GRACE_MS = 15_000

// A parent that died while we were starting is not our parent any more: it left its name here.
const startedBy = Number(process.env['TROUPE_PARENT_PID'] ?? 0)
process.env['TROUPE_PARENT_PID'] = String(process.pid)

onParentsGone(() => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref()
  process.kill(process.pid, 'SIGTERM')
}, startedBy)
