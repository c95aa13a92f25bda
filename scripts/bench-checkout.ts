import {spawn, spawnSync} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {startGitServer} from '../sandbox/git-server.js'
import {systemCommands} from '../src/adapters/commands.js'
import {systemFiles} from '../src/adapters/files.js'
import {folderCache} from '../src/adapters/folder-cache.js'
import {saveGitObjects} from '../src/cache/git-objects.js'
import {formatSize, formatTable} from '../src/format.js'
import type {Log} from '../src/ports.js'
import {acquireSource} from '../src/source/acquire-source.js'
import type {SourceRequest} from '../src/source/source.js'

/**
 * Checkouts of real moby against a full clone, in bytes of packs and seconds, over HTTP from `git http-backend` on this
 * machine. MOBY is a bare clone of it; `then` in the table is the same clone without what came after v28.5.1. A clone that
 * lacks objects itself cannot be cloned: then the full clone is one pack of all that is there, indexed as it is made, without a
 * checkout. With TMPDIR on a tmpfs the times are git's; a busy disk takes ten times as long for ten thousand new files.
 */
const runs = Number(process.env.RUNS ?? 3)
const refs = {then: 'v28.5.1', now: 'v28.5.2'}
const moby = resolve(process.env.MOBY ?? '')
if (process.env.MOBY === undefined) throw new Error('MOBY must be a bare clone of moby')
const temporary = mkdtempSync(join(tmpdir(), 'build-moby-bench-'))
const environment = {PATH: process.env.PATH, HOME: temporary, GIT_CONFIG_NOSYSTEM: '1'}
const silence = () => undefined
const log: Log = {
  debug: silence,
  info: silence,
  notice: silence,
  warning: console.warn,
  error: console.error,
  startGroup: silence,
  endGroup: silence,
  mask: silence
}
const commands = systemCommands(new AbortController().signal)
const limits = {maximumBytes: 1e10, maximumAgeMilliseconds: 1e10}
const cache = folderCache(join(temporary, 'cache'), limits, commands, log)
const ports = {
  commands,
  files: systemFiles(temporary),
  log,
  clock: () => performance.now(),
  pause: (milliseconds: number) => new Promise<void>(done => setTimeout(done, milliseconds))
}

interface Measured {
  readonly seconds: number
  readonly bytes: number
}

serveAsOf('then')
const server = await startGitServer({addresses: ['127.0.0.1'], root: join(temporary, 'served'), log: silence})
const serverUrl = `http://127.0.0.1:${server.port}`
try {
  const first = await checkOut(refs.then, true)
  const saving = await timed(() => saveGitObjects(first.objects, {...ports, cache}))
  console.log(`entry: ${formatSize(saving.value.saved?.bytes ?? 0)}, saved in ${saving.seconds.toFixed(1)} s`)
  const cases: readonly (readonly [string, 'then' | 'now', () => Promise<Measured>])[] = [
    ['full clone', 'now', fullClone],
    ['ours, nothing kept', 'now', () => checkOut(refs.now, false)],
    ['ours, kept, same commit', 'then', () => checkOut(refs.then, true)],
    [`ours, kept, ${refs.then} to ${refs.now}`, 'now', () => checkOut(refs.now, true)]
  ]
  const results = cases.map(([name]) => ({name, measured: [] as Measured[]}))
  // Interleaved, so that what else the machine does is in all of them.
  for (let run = 0; run < runs; run++) {
    for (const [index, [, time, work]] of cases.entries()) {
      serveAsOf(time)
      results[index]?.measured.push(await work())
    }
  }
  const clone = median(results[0]?.measured.map(({bytes}) => bytes) ?? [])
  const rows = results.map(({name, measured}) => {
    const bytes = median(measured.map(one => one.bytes))
    const seconds = measured.map(one => one.seconds)
    const spread = [Math.min(...seconds), median(seconds), Math.max(...seconds)].map(value => value.toFixed(1))
    return [name, formatSize(bytes), `${(bytes / clone).toFixed(3)} x`, ...spread]
  })
  console.log(formatTable(['checkout', 'received', 'of a clone', 'min s', 'median s', 'max s'], rows))
} finally {
  await server.stop()
  rmSync(temporary, {recursive: true})
}

/** Serves moby as it is, or as it was before v28.5.2. */
function serveAsOf(time: 'then' | 'now'): void {
  const place = join(temporary, time)
  if (!readdirSync(temporary).includes(time)) {
    const listed = ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags']
    const later = time === 'then' ? ['--no-contains', refs.now] : []
    mkdirSync(join(place, 'objects', 'info'), {recursive: true})
    mkdirSync(join(place, 'refs'))
    writeFileSync(join(place, 'objects', 'info', 'alternates'), `${join(moby, 'objects')}\n`)
    writeFileSync(join(place, 'packed-refs'), gitOutput(moby, ...listed, ...later))
    cpSync(join(moby, 'HEAD'), join(place, 'HEAD'))
  }
  const served = join(temporary, 'served', 'moby')
  mkdirSync(served, {recursive: true})
  rmSync(join(served, 'moby.git'), {force: true})
  symlinkSync(place, join(served, 'moby.git'))
}

async function checkOut(ref: string, kept: boolean) {
  const directory = join(temporary, 'checkout')
  const request: SourceRequest = {
    repository: 'moby/moby',
    serverUrl,
    workspace: temporary,
    directory,
    ref,
    environment,
    history: 'blobless',
    mirrors: [],
    direct: [],
    strict: false,
    proxies: {},
    retries: 0
  }
  const nothing = {...cache, restore: () => Promise.resolve(undefined)}
  rmSync(directory, {recursive: true, force: true})
  const {value, seconds} = await timed(() => acquireSource(request, {...ports, cache: kept ? cache : nothing}))
  if (value.objects === undefined) throw new Error('the checkout is not new')
  return {seconds, bytes: value.objects.receivedBytes, objects: value.objects}
}

async function fullClone(): Promise<Measured> {
  const directory = join(temporary, 'clone')
  const url = `${serverUrl}/moby/moby`
  rmSync(directory, {recursive: true, force: true})
  const {value, seconds} = await timed(() => ended('git', ['clone', '--quiet', '--branch', refs.now, url, directory]))
  if (value === 0) return {seconds, bytes: packBytes(join(directory, '.git'))}
  const bare = join(temporary, 'one-pack')
  rmSync(bare, {recursive: true, force: true})
  gitOutput(temporary, 'init', '--quiet', '--bare', bare)
  const packing = await timed(() => onePack(bare))
  return {seconds: packing.seconds, bytes: packBytes(bare)}
}

/** What `git clone` would transfer and index, without the objects that are missing. */
async function onePack(bare: string): Promise<void> {
  const options = ['--revs', '--stdout', '--quiet', '--delta-base-offset', '--missing=allow-any']
  const packing = spawn('git', ['-C', join(temporary, 'now'), 'pack-objects', ...options], {
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit']
  })
  packing.stdin.end(gitOutput(join(temporary, 'now'), 'for-each-ref', '--format=%(objectname)'))
  const indexing = spawn('git', ['-C', bare, 'index-pack', '--stdin'], {
    env: environment,
    stdio: [packing.stdout, 'ignore', 'inherit']
  })
  await new Promise(done => indexing.once('close', done))
}

async function ended(program: string, argv: readonly string[]): Promise<number | null> {
  const child = spawn(program, argv, {env: environment, stdio: 'ignore'})
  return await new Promise(done => child.once('close', done))
}

function gitOutput(directory: string, ...command: readonly string[]): string {
  const {status, stdout, stderr} = spawnSync('git', ['-C', directory, ...command], {
    env: environment,
    encoding: 'utf8',
    maxBuffer: 1e8
  })
  if (status !== 0) throw new Error(`git ${command.join(' ')}: ${stderr}`)
  return stdout
}

function packBytes(repository: string): number {
  const place = join(repository, 'objects', 'pack')
  const packs = readdirSync(place).filter(name => name.endsWith('.pack'))
  return packs.reduce((sum, pack) => sum + statSync(join(place, pack)).size, 0)
}

async function timed<T>(work: () => Promise<T>): Promise<{value: T; seconds: number}> {
  const started = performance.now()
  const value = await work()
  return {value, seconds: (performance.now() - started) / 1000}
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN
}
