import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transformSync } from 'rolldown/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../repo/repository.ts'

const PACKAGES = readdirSync(join(root, 'packages'))

/** What somebody gets who wants the framework only: tarballs, installed into a project of their own. */
describe('the packed packages', () => {
  const project = mkdtempSync(join(tmpdir(), 'troupe-consumer-'))
  const example =
    /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? ''
  const prints = [...example.matchAll(/\/\/ prints (.*)$/gm)].map(([, line]) => line)

  let packed: { readonly name: string; readonly files: readonly { path: string }[] }[] = []

  beforeAll(() => {
    run(process.execPath, ['scripts/turbo.mjs', 'build', '--filter=./packages/*'], root)
    const workspaces = PACKAGES.map((name) => `--workspace=packages/${name}`)
    const output = npm(['pack', ...workspaces, `--pack-destination=${project}`, '--json'], root)
    packed = JSON.parse(output) as typeof packed
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
    )
    const tarballs = readdirSync(project).filter((file) => file.endsWith('.tgz'))
    expect(tarballs).toHaveLength(PACKAGES.length)
    install(tarballs, project)
  }, 240_000)

  afterAll(() => rmSync(project, { recursive: true, force: true }))

  it('run the first example of the README from JavaScript', () => {
    const { code } = transformSync('example.ts', example, {})
    writeFileSync(join(project, 'example.js'), code)

    expect(printed(run(process.execPath, ['example.js'], project))).toEqual(prints)
    expect(prints.length).toBeGreaterThan(0)
  })

  it('have types that satisfy a strict compiler, and run when compiled by it', () => {
    mkdirSync(join(project, 'src'))
    writeFileSync(join(project, 'src/example.ts'), example)
    for (const types of ['node', 'undici-types']) {
      const from = [`@types/${types}`, types].find((name) => isInstalled(name))
      if (from !== undefined) {
        cpSync(join(root, 'node_modules', from), join(project, 'node_modules', from), {
          recursive: true,
        })
      }
    }
    const compilerOptions = {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      types: ['node'],
      outDir: 'out',
      rootDir: 'src',
    }
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['src'] }),
    )

    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.'], project)

    expect(printed(run(process.execPath, ['out/example.js'], project))).toEqual(prints)
  })

  it.each(PACKAGES)(
    '@troupe/%s loads through every entry it names, and through no other path',
    (name) => {
      const manifest = JSON.parse(
        readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'),
      ) as {
        exports: Record<string, unknown>
      }
      const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith('.json'))
      // The entry for simulations registers tests and so needs vitest, which the project does not have.
      const loadable = entries.filter((entry) => entry !== './simulation')
      const load = loadable
        .map((entry) => `await import('@troupe/${name}${entry.slice(1)}')`)
        .join('\n')
      writeFileSync(join(project, 'load.js'), `${load}\nconsole.log('loaded')\n`)

      expect(printed(run(process.execPath, ['load.js'], project))).toEqual(['loaded'])

      writeFileSync(join(project, 'deep.js'), `await import('@troupe/${name}/dist/index.js')\n`)
      const deep = spawnSync(process.execPath, ['deep.js'], { cwd: project, encoding: 'utf8' })
      expect(deep.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
    },
  )

  it('contain no tests and nothing but what is meant to be published', () => {
    expect(packed).toHaveLength(PACKAGES.length)
    for (const { name, files } of packed) {
      const odd = files
        .map(({ path }) => path)
        .filter(
          (path) =>
            !/^(dist|src)\//.test(path) && !/^(package\.json|README\.md|LICENSE)$/.test(path),
        )
      expect(odd, name).toEqual([])
      expect(
        files.filter(({ path }) => /\.test\./.test(path)),
        name,
      ).toEqual([])
      expect(
        files.some(({ path }) => path === 'dist/index.d.ts'),
        name,
      ).toBe(true)
    }
  })
})

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: environment(),
  })
  expect({ status, error }, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`).toEqual({
    status: 0,
    error: undefined,
  })
  return stdout
}

function npm(args: readonly string[], cwd: string): string {
  const { command, leading } = npmCommand()
  return run(command, [...leading, ...args], cwd)
}

/**
 * What the packages need themselves was installed here, so it is in npm's cache and no network is
 * needed; npm would try one for a minute all the same. Only when the cache was emptied it may.
 */
function install(tarballs: readonly string[], cwd: string): void {
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...tarballs]
  const { command, leading } = npmCommand()
  const options = { cwd, encoding: 'utf8', env: environment() } as const
  const { status } = spawnSync(command, [...leading, ...args, '--offline'], options)
  if (status !== 0) npm(args, cwd)
}

function npmCommand(): { readonly command: string; readonly leading: readonly string[] } {
  const cli = process.env['npm_execpath']
  return cli !== undefined && cli.endsWith('npm-cli.js')
    ? { command: process.execPath, leading: [cli] }
    : { command: 'npm', leading: [] }
}

/** Without what npm tells its children of the repository: the project has a life of its own. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_|package_|lifecycle_)|^NODE_OPTIONS$/.test(name),
    ),
  )
}

function printed(output: string): string[] {
  return output.split('\n').filter((line) => line !== '' && !line.startsWith('{"level"'))
}

function isInstalled(name: string): boolean {
  return readdirSync(
    join(root, 'node_modules', name.startsWith('@') ? (name.split('/')[0] ?? '') : '.'),
  ).includes(name.split('/').at(-1) ?? '')
}
