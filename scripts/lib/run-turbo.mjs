import { join } from 'node:path'
import { root, runNode, tools } from './run.mjs'

/** `turbo run` with `args`, without telemetry, update checks, and files outside of the repository. */
export function runTurbo(args, options = {}) {
  const env = {
    ...process.env,
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    TURBO_CONFIG_DIR_PATH: join(root, '.turbo', 'config'),
  }
  return runNode([tools.turbo, 'run', ...args, '--ui=stream', '--output-logs=errors-only'], {
    cwd: root,
    env,
    ...options,
  })
}
