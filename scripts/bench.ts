import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, readdirSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {formatSize, formatTable} from '../src/format.js'

/**
 * Start-up of the committed bundles, as whole processes from outside, and their sizes. `main` is timed to its first line
 * of log, which for an unset `ref` is the error that says so; `post` with nothing to remove.
 */
const runs = 15
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
  const sorted = times.slice(1).sort((one, other) => one - other)
  return {min: sorted[0] ?? 0, median: sorted[Math.floor(runs / 2)] ?? 0, max: sorted.at(-1) ?? 0}
}

function bundleSize(name: string): [string, string, string] {
  const directory = join(root, 'dist', name)
  const scripts = readdirSync(directory).filter(file => /\.(js|mjs|cjs)$/.test(file))
  const size = scripts.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0)
  const packed = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(directory, file))).length, 0)
  return [`dist/${name}`, formatSize(size), formatSize(packed)]
}
