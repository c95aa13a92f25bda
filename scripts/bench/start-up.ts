import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, readdir, readFile, rm, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {formatSize, markdownTable} from '../../src/format.js'
import {spread, spreadCells, type Spread} from './spread.js'

const runs = 15

/**
 * Start-up of the bundles in `dist`, as whole processes from outside, and their sizes. `main` is also timed to its first
 * line of log, which for an unset `ref` is the error that says so; `post` with nothing to remove.
 */
export async function startUpReport(dist: string, node: string): Promise<string> {
  const temporary = await mkdtemp(join(tmpdir(), 'build-moby-bench-'))
  const start = (...argv: readonly string[]) => starts(node, argv, temporary)
  try {
    const bare = await start('--eval', '0')
    const main = await start(join(dist, 'main/index.js'))
    const post = await start(join(dist, 'post/index.js'))
    const cli = await start(join(dist, 'cli/index.js'), '--help')
    const rows = [
      ['node --eval 0', bare.toEnd, ''],
      ['dist/main to its first line', main.toFirstLine, '≤ 160'],
      ['dist/main', main.toEnd, ''],
      ['dist/post', post.toEnd, '≤ 80'],
      ['dist/cli --help', cli.toEnd, '']
    ] as const
    const times = markdownTable(
      [`milliseconds, ${runs} runs`, 'min', 'median', 'max', 'target'],
      rows.map(([name, measured, target]) => [name, ...spreadCells(measured, 0), target])
    )
    const sizes = await Promise.all(['main', 'post', 'cli'].map(name => bundleSize(dist, name)))
    return `${times}\n\n${markdownTable(['bundle', 'all of it', 'gzipped', 'loaded at the start'], sizes)}`
  } finally {
    await rm(temporary, {recursive: true})
  }
}

interface Starts {
  readonly toFirstLine: Spread
  readonly toEnd: Spread
}

async function starts(node: string, argv: readonly string[], directory: string): Promise<Starts> {
  const environment = {PATH: process.env.PATH, RUNNER_TEMP: directory, GITHUB_WORKSPACE: directory}
  const measured: {firstLine: number; end: number}[] = []
  for (let run = 0; run <= runs; run++) {
    const started = performance.now()
    const child = spawn(node, argv, {env: environment, cwd: directory, stdio: ['ignore', 'pipe', 'ignore']})
    let firstLine = NaN
    child.stdout.once('data', () => {
      firstLine = performance.now() - started
    })
    await once(child, 'close')
    // The first one warms the file cache.
    if (run > 0) measured.push({firstLine, end: performance.now() - started})
  }
  return {
    toFirstLine: spread(measured.map(({firstLine}) => firstLine)),
    toEnd: spread(measured.map(({end}) => end))
  }
}

async function bundleSize(dist: string, name: string): Promise<readonly string[]> {
  const directory = join(dist, name)
  const scripts = (await readdir(directory)).filter(file => /\.[cm]?js$/.test(file))
  const contents = await Promise.all(scripts.map(file => readFile(join(directory, file))))
  const sum = (sizes: readonly number[]) => formatSize(sizes.reduce((total, size) => total + size, 0))
  return [
    `dist/${name}`,
    sum(contents.map(({length}) => length)),
    sum(contents.map(content => gzipSync(content).length)),
    formatSize((await stat(join(directory, 'index.js'))).size)
  ]
}
