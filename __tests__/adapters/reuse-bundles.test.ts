import {createHash} from 'node:crypto'
import {appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemCommands} from '../../src/adapters/commands.js'
import {systemFiles} from '../../src/adapters/files.js'
import {folderCache} from '../../src/adapters/folder-cache.js'
import {createArchive} from '../../src/bundles/archive.js'
import {makeBundles, type PublishedBundle} from '../../src/bundles/publish.js'
import {factsFile} from '../../src/cache/kept-bundles.js'
import {findReusable, keepForReuse, type ReusedBundles} from '../../src/cache/reuse-bundles.js'
import type {ReusableBundles} from '../../src/cache/reuse.js'
import {CancelledError} from '../../src/errors.js'
import type {Plan} from '../../src/plan/plan.js'
import type {CacheStore, Commands, Files} from '../../src/ports.js'
import {describeTree} from '../support/directory-tree.js'
import {inputsWith} from '../support/inputs.js'
import {memoryLog, type MemoryLog} from '../support/memory.js'
import {resultsOf} from '../support/outcome.js'
import {planWith} from '../support/plan.js'

const commands = systemCommands(new AbortController().signal)
const origin = {when: '2026-11-20T03:12:44Z', run: 'https://github.com/me/moby/actions/runs/7'}
const script = (version = '28.5.2', commit = '89c5e8f') =>
  `#!/bin/sh\necho 'Docker version ${version}, build ${commit}'\n`

let root: string
let files: Files
let cache: CacheStore
let log: MemoryLog
let plan: Plan
let runs: number

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'reuse-bundles-'))
  files = systemFiles(join(root, 'temporary'))
  log = memoryLog()
  cache = folderCache(join(root, 'cache'), {maximumBytes: 1e9, maximumAgeMilliseconds: 1e9}, commands, log)
  plan = planOfRun('00000001')
  runs = 0
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

/** A plan whose content is that of any other, but for `program`. */
function planOfRun(unique: string, program = 'p'): Plan {
  const planned = planWith({}, {workDirectory: join(root, 'work')})
  const prefix = `build-moby-bundles-1-all-${program}-`
  const builds = planned.builds.map(({component, stamp, source: {commit}}) => ({component, stamp, commit}))
  const facts = {schema: 1, program, verify: 'version', builds} as unknown as ReusableBundles['facts']
  return {...planned, reuse: {key: prefix + unique, prefix, facts, compared: ['commits'], notCompared: ['packages']}}
}

function reusable(): ReusableBundles {
  if (plan.reuse === undefined || 'why' in plan.reuse) throw new Error('nothing can be reused')
  return plan.reuse
}

function place(outputDirectory = join(root, 'out')) {
  return {outputDirectory, platform: 'linux/amd64'}
}

const ports = (overrides: {commands?: Commands; pause?: () => Promise<void>} = {}) => ({
  cache,
  commands,
  files,
  log,
  pause: () => Promise.resolve(),
  ...overrides
})

/** Builds, as far as bundles can tell. */
async function build(): Promise<readonly PublishedBundle[]> {
  for (const {exportDirectory, stamp} of plan.builds) {
    await mkdir(exportDirectory, {recursive: true})
    await writeFile(join(exportDirectory, stamp.binary), script())
    await chmod(join(exportDirectory, stamp.binary), 0o775)
    await mkdir(join(exportDirectory, 'contrib'), {recursive: true})
    await writeFile(join(exportDirectory, 'contrib', 'notes'), 'x'.repeat(100_000), {mode: 0o644})
  }
  return await makeBundles(resultsOf(plan), inputsWith(), place(), {files, commands, log})
}

async function keep(bundles: readonly PublishedBundle[]) {
  return await keepForReuse(
    reusable(),
    bundles.map(({bundle}) => bundle),
    origin,
    join(root, 'work'),
    ports()
  )
}

/** Another run of the same content, that has nothing but the cache. */
async function find(
  outputDirectory = join(root, 'later'),
  overrides: Parameters<typeof ports>[0] = {}
): Promise<ReusedBundles | undefined> {
  runs += 1
  return await findReusable(plan, inputsWith(), place(outputDirectory), join(root, `work-${runs}`), ports(overrides))
}

/** Replaces the one entry of the cache by what `change` makes of it. */
async function tamper(change: (directory: string) => Promise<void>): Promise<void> {
  const {key, prefix} = reusable()
  const directory = join(root, 'tampered')
  await cache.restore(directory, key, [prefix])
  await change(directory)
  await rm(join(root, 'cache'), {recursive: true})
  await cache.save(directory, key)
}

const warnings = () => log.lines.filter(line => line.startsWith('warning: '))

describe('bundles that are kept', () => {
  it('come back as they were built, in place of older ones', async () => {
    const built = await build()
    const account = await keep(built)
    expect(account).toMatchObject({
      kind: 'bundles',
      of: 'daemon and client',
      exact: false,
      saved: {key: reusable().key}
    })
    plan = planOfRun('00000002')
    const later = join(root, 'later')
    await mkdir(join(later, 'binary-daemon'), {recursive: true})
    await writeFile(join(later, 'binary-daemon', 'stale'), '')
    const reused = await find(later)
    expect(await describeTree(later)).toEqual(await describeTree(place().outputDirectory))
    const moved = JSON.parse(JSON.stringify(built).replaceAll(place().outputDirectory, later)) as unknown
    expect(reused).toEqual({
      bundles: moved,
      account: {...account, saved: undefined, exact: true, restored: account.saved},
      origin,
      compared: ['commits'],
      notCompared: ['packages']
    })
    expect(log.lines).toContain(`info: Unchanged since ${origin.when} (${origin.run}): the bundles are reused.`)
    expect(warnings()).toEqual([])
    expect(await readdir(join(root, 'work-1'))).toEqual([])
    expect((await stat(join(later, 'binary-daemon/dockerd'))).mode & 0o777).toBe(0o775)
  })

  it('are not those of other content', async () => {
    await keep(await build())
    plan = planOfRun('00000002', 'q')
    expect(await find()).toBeUndefined()
    expect(log.lines.at(-1)).toMatch(/^info: Nothing is reused: no finished bundles of this content are in /)
  })

  it('are not asked for where nothing can be proven, and the log says why', async () => {
    plan = {...plan, reuse: {why: 'no registry tells the digest of golang'}}
    expect(await find()).toBeUndefined()
    expect(log.lines).toEqual(['info: Nothing is reused: no registry tells the digest of golang.'])
  })

  const binary = 'binary-daemon.tar.gz'
  const damages: Readonly<Record<string, (directory: string) => Promise<void>>> = {
    'without its facts': directory => rm(join(directory, factsFile)),
    'of other facts': async directory => {
      const text = await readFile(join(directory, factsFile), 'utf8')
      await writeFile(join(directory, factsFile), text.replace('"program": "p"', '"program": "q"'))
    },
    'without an archive': directory => rm(join(directory, binary)),
    'with an archive of its own': directory => appendFile(join(directory, binary), 'x'),
    'with half an archive': async directory => {
      const bytes = await readFile(join(directory, binary))
      await writeFile(join(directory, binary), bytes.subarray(0, bytes.length / 2))
    },
    'with the same files in another archive': async directory => {
      const bytes = await readFile(join(directory, binary))
      // Of gzip's header, the time (RFC 1952, 2.3).
      bytes.writeUInt8(1, 4)
      await writeFile(join(directory, binary), bytes)
    },
    'with a binary of another version': async directory => {
      await replaceArchive(directory, {dockerd: script('28.5.1'), 'contrib/notes': 'x'.repeat(100_000)})
    },
    'with a further file': async directory => {
      await replaceArchive(directory, {dockerd: script(), 'contrib/notes': 'x'.repeat(100_000), more: ''}, ['more'])
    },
    'with a file less': async directory => {
      await replaceArchive(directory, {dockerd: script()}, [], ['contrib/notes'])
    },
    'with a file that is not as told': async directory => {
      await replaceArchive(directory, {dockerd: script(), 'contrib/notes': 'y'}, ['contrib/notes'])
    }
  }

  it.each(Object.keys(damages))('are not used %s, which is said once', async name => {
    const change = damages[name]
    const built = await build()
    await keep(built)
    await tamper(change ?? (() => Promise.reject(new Error(name))))
    expect(await find()).toBeUndefined()
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^warning: The finished bundles in \S+ are not reused, so they are built: (unpack|verify|reuse): /
      )
    ])
    expect(await readdir(join(root, 'later')).catch(() => [])).toEqual([])
    // The next entry of the same content takes its place. File systems tell times apart by milliseconds.
    await delay(20)
    plan = planOfRun('00000002')
    await keep(built)
    expect(await find()).toMatchObject({account: {restored: {key: reusable().key}}})
    expect(warnings()).toHaveLength(1)
  })

  it('leave a cancelled run cancelled', async () => {
    await keep(await build())
    const cancelled = {...commands, capture: () => Promise.reject(new CancelledError('the run was cancelled'))}
    await expect(find(undefined, {commands: cancelled})).rejects.toThrow(CancelledError)
    await expect(find(undefined, {pause: () => Promise.reject(new Error('cancelled'))})).rejects.toThrow('cancelled')
  })

  it('are not kept where there is no room, which is a warning', async () => {
    const built = await build()
    await mkdir(join(root, 'work'), {recursive: true})
    await writeFile(join(root, 'work', 'keep'), 'a file in the way of the directory')
    expect(await keep(built)).toEqual({kind: 'bundles', of: 'daemon and client', exact: false})
    expect(warnings()).toEqual([
      expect.stringMatching(/^warning: The finished bundles are not kept for further runs: /)
    ])
  })
})

/** Puts another archive of the daemon into an entry; `facts.json` tells of it, but for the files that it is `silent` on. */
async function replaceArchive(
  entry: string,
  contents: Readonly<Record<string, string>>,
  silent: readonly string[] = [],
  claimed: readonly string[] = []
): Promise<void> {
  const directory = join(root, 'replacement')
  const path = join(entry, 'binary-daemon.tar.gz')
  for (const [name, content] of Object.entries(contents)) await files.write(join(directory, name), content, 0o755)
  const {size, sha256} = await createArchive({directory, name: 'binary-daemon', path, modifiedTime: 0}, files)
  interface KeptFile {
    path: string
  }
  interface Kept {
    bundles: {name: string; archive: object; files: KeptFile[]}[]
  }
  const kept = JSON.parse(await readFile(join(entry, factsFile), 'utf8')) as Kept
  for (const bundle of kept.bundles.filter(({name}) => name === 'binary-daemon')) {
    const before = new Map(bundle.files.map(file => [file.path, file]))
    bundle.archive = {size, sha256}
    bundle.files = [...Object.keys(contents), ...claimed].flatMap(name => {
      const old = before.get(name)
      if (silent.includes(name)) return old === undefined ? [] : [old]
      const content = contents[name]
      if (content === undefined) return old === undefined ? [] : [old]
      const hash = (algorithm: string) => createHash(algorithm).update(content).digest('hex')
      return [{path: name, size: content.length, mode: 0o755, md5: hash('md5'), sha256: hash('sha256')}]
    })
  }
  await writeFile(join(entry, factsFile), JSON.stringify(kept))
}
