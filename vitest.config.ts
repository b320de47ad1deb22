import { defineConfig } from 'vitest/config'

// Everything is tested from its sources: the scoped condition points each package at src/.
const fromSources = {
  resolve: { conditions: ['@troupe/source'] },
  ssr: { resolve: { conditions: ['@troupe/source'] } },
}

export default defineConfig({
  ...fromSources,
  test: {
    reporters: [process.env['CI'] ? 'dot' : 'default', './scripts/lib/tally-reporter.ts'],
    projects: [
      {
        ...fromSources,
        test: {
          name: 'fast',
          include: ['{packages,apps}/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/processes/**', 'test/simulation/**', '**/node_modules/**'],
          pool: 'threads',
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...fromSources,
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          pool: 'threads',
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Real sockets and real processes: one file at a time, so that they do not fight for the cores.
        ...fromSources,
        test: {
          name: 'processes',
          include: ['test/processes/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
