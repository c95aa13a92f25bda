import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, readdirSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {formatSize, formatTable} from '../src/format.js'

/**
 * Start-up of the committed bundles, as whole processes from outside, and their sizes. `main` is timed to its first line
 * of log, which for an unset `ref` is the error that says so; `post` with nothing to remove. With MOBY, a git URL or path, and
 * a docker that answers, also how long the plans of real moby take after their checkout, mirrors of git by git's own
 * configuration.
 */
const runs = 15
const planRuns = 5
const root = join(import.meta.dirname, '..')
const node = process.env.BUILD_MOBY_NODE24 ?? process.execPath
const temporary = mkdtempSync(join(tmpdir(), 'build-moby-bench-'))
const environment = {PATH: process.env.PATH, RUNNER_TEMP: temporary, GITHUB_WORKSPACE: temporary}

try {
  const version = spawnSync(node, ['--version'], {encoding: 'utf8'}).stdout.trim()
  console.log(`Node ${version}, ${runs} runs each, milliseconds\n`)
  const bare = measure(['--eval', '0'])
  const rows = [
    ['node --eval 0', bare],
    ['dist/main', measure([join(root, 'dist/main/index.js')])],
    ['dist/post', measure([join(root, 'dist/post/index.js')])],
    ['dist/cli --help', measure([join(root, 'dist/cli/index.js'), '--help'])]
  ] as const
  console.log(
    formatTable(
      ['entry', 'min', 'median', 'max', 'of bare node'],
      rows.map(([name, {min, median, max}]) => [
        name,
        min.toFixed(0),
        median.toFixed(0),
        max.toFixed(0),
        `${(median / bare.median).toFixed(2)} x`
      ])
    )
  )
  console.log(`\n${formatTable(['bundle', 'size', 'gzipped'], ['main', 'post', 'cli'].map(bundleSize))}`)
  if (process.env.MOBY !== undefined) console.log(`\n${planTimes(process.env.MOBY)}`)
} finally {
  rmSync(temporary, {recursive: true})
}

function measure(argv: readonly string[]): {min: number; median: number; max: number} {
  const times = Array.from({length: runs + 1}, () => {
    const started = performance.now()
    spawnSync(node, argv, {env: environment, cwd: temporary})
    return performance.now() - started
  })
  // The first one warms the file cache.
  return spread(times.slice(1))
}

function spread(times: readonly number[]): {min: number; median: number; max: number} {
  const sorted = times.toSorted((one, other) => one - other)
  return {min: sorted[0] ?? NaN, median: sorted[Math.floor(sorted.length / 2)] ?? NaN, max: sorted.at(-1) ?? NaN}
}

function planTimes(repository: string): string {
  const directory = join(root, '__tests__/fixtures/plans')
  const rows = readdirSync(directory).map(file => {
    const ref = file.replace(/\.txt$/, '')
    const cli = [join(root, 'dist/cli/index.js'), 'plan', '--repository', repository, '--ref', ref]
    const times = Array.from({length: planRuns}, () => {
      const {stdout} = spawnSync(node, cli, {cwd: temporary, encoding: 'utf8', maxBuffer: 1e8})
      return Number(/^Planned in (\d+) ms/m.exec(stdout)?.[1] ?? NaN)
    })
    const {min, median, max} = spread(times)
    return [ref, min.toFixed(0), median.toFixed(0), max.toFixed(0)]
  })
  return formatTable(['plan after checkout, ms', 'min', 'median', 'max'], rows)
}

function bundleSize(name: string): [string, string, string] {
  const directory = join(root, 'dist', name)
  const scripts = readdirSync(directory).filter(file => /\.(js|mjs|cjs)$/.test(file))
  const size = scripts.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0)
  const packed = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(directory, file))).length, 0)
  return [`dist/${name}`, formatSize(size), formatSize(packed)]
}
