import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, mkdtemp, readdir, rm, truncate, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import {afterEach, beforeAll, beforeEach, describe, expect, it, jest} from '@jest/globals'
import {githubCache} from '../../src/adapters/github-cache.js'
import {githubLog} from '../../src/adapters/github-log.js'
import type {WaitingLimits} from '../../src/adapters/library-call.js'
import type {CacheStore} from '../../src/ports.js'
import {describeTree, writeTree} from '../support/directory-tree.js'
import {type Inside, insideRunner} from '../support/inside-runner.js'
import {type Fault, type ResultsService, startResultsService} from '../support/results-service.js'
import {describeWithSmallDisk, mountSmallDisk} from '../support/small-disk.js'

const limits = {idleMilliseconds: 400, totalMilliseconds: 1500}
const always = 1000
const size = expect.any(Number)
let root: string
let service: ResultsService
let job: Record<string, string>
let saved: string
let restored: string
/** The workspace of another runner. */
let elsewhere: string

jest.setTimeout(30_000)

beforeAll(async () => {
  // The store loads it when it is needed, which takes Jest a while.
  await import('@actions/cache')
})

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'github-cache-'))
  service = await startResultsService()
  job = service.environment()
  saved = join(root, 'saved')
  restored = join(root, 'restored')
  elsewhere = await mkdtemp(join(tmpdir(), 'github-cache-'))
  await writeTree(saved)
  await mkdir(restored)
  await writeFile(join(restored, 'old'), '')
})

afterEach(async () => {
  await service.close()
  for (const path of [root, elsewhere]) await rm(path, {recursive: true, force: true})
})

function open(waiting?: WaitingLimits): CacheStore {
  const cache = githubCache(process.env, githubLog(), waiting)
  if (cache === undefined) throw new Error('no cache')
  return cache
}

/** A run of its own, with a store of its own. */
async function inRun<T>(work: (cache: CacheStore) => Promise<T>, variables = job): Promise<Inside<T>> {
  return await insideRunner(root, variables, () => work(open(limits)))
}

/** Each of the store's methods, restoring twice. */
async function useAll(cache: CacheStore): Promise<readonly unknown[]> {
  return [
    await cache.restore(restored, 'key', ['k']),
    await cache.restore(restored, 'other', []),
    await cache.find('key', []),
    await cache.save(saved, 'new'),
    await cache.save(saved, 'newer')
  ]
}

/** A process of its own that saves `saved` as `key`, on a runner of its own; `said` is its log. */
function startSaver(variables: Record<string, string> = {}): {child: ChildProcess; said: Promise<string>} {
  const program = join(import.meta.dirname, '..', 'support', 'cache-saver.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', program, saved, 'key'], {
    env: {...process.env, ...job, GITHUB_WORKSPACE: elsewhere, RUNNER_TEMP: elsewhere, ...variables},
    stdio: ['ignore', 'ignore', 'pipe']
  })
  return {child, said: text(child.stderr)}
}

const nothing = [undefined, undefined, undefined, undefined, undefined]

async function expectDirectoryAsBefore(): Promise<void> {
  expect(await describeTree(restored)).toEqual(['old 644 '])
  expect((await readdir(root)).sort()).toEqual(['restored', 'saved', 'temporary', 'workspace'])
  expect(await readdir(join(root, 'workspace'))).toEqual([])
}

/** A later run finds a service that works again: what it saves can be restored. */
async function expectNextRunToWork(key = 'key'): Promise<void> {
  const {value, annotations} = await inRun(async cache => [
    await cache.save(saved, `${key}-of-next-run`),
    await cache.restore(restored, `${key}-of-next-run`, [])
  ])
  const entry = {key: `${key}-of-next-run`, bytes: size}
  expect(value).toEqual([entry, entry])
  expect(annotations).toEqual([])
  expect(await describeTree(restored)).toEqual(await describeTree(saved))
}

describe('githubCache with a service that fails', () => {
  it.each<readonly [string, string, Fault]>([
    ['limits the rate', 'GetCacheEntryDownloadURL', {status: 429, headers: {'retry-after': '60'}}],
    ['refuses the token', 'GetCacheEntryDownloadURL', {status: 401}],
    ['loses the connection', 'GetCacheEntryDownloadURL', 'reset'],
    ['does not answer', 'GetCacheEntryDownloadURL', 'stall'],
    ['has no answer from its storage', 'GET blob', 'stall'],
    ['has a storage that fails', 'GET blob', {status: 500}],
    ['has a storage that sends byte by byte', 'GET blob', 'trickle']
  ])('leaves one alone that %s', async (_, request, fault) => {
    await inRun(cache => cache.save(saved, 'key'))
    service.fail(request, fault, always)
    const before = service.requests().length
    const {value, annotations} = await inRun(useAll)
    expect(value).toEqual(nothing)
    expect(annotations).toEqual([
      {
        level: 'warning',
        message: expect.stringMatching(
          /^Cache entry key was not restored: .+\. The run goes on without GitHub's cache\.$/
        )
      }
    ])
    expect(
      service
        .requests()
        .slice(before)
        .filter(name => name === request)
    ).toHaveLength(1)
    await expectDirectoryAsBefore()
    service.heal()
    await expectNextRunToWork()
  })

  it('leaves one alone that is not there', async () => {
    const gone = await startResultsService()
    const variables = gone.environment()
    await gone.close()
    const {value, annotations} = await inRun(useAll, variables)
    expect(value).toEqual(nothing)
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('ECONNREFUSED')}])
    await expectDirectoryAsBefore()
    await expectNextRunToWork()
  })

  it.each<readonly [string, string, Fault]>([
    ['limits the rate', 'CreateCacheEntry', {status: 429}],
    ['has a storage that refuses', 'PUT blob', {status: 403}],
    ['does not take the upload', 'PUT blob', 'stall'],
    ['does not finish the entry', 'FinalizeCacheEntryUpload', {status: 403}]
  ])('leaves one alone that %s while saving', async (_, request, fault) => {
    service.fail(request, fault, always)
    const {value, annotations} = await inRun(async cache => [
      await cache.save(saved, 'key'),
      await cache.save(saved, 'other'),
      await cache.find('key', [])
    ])
    expect(value).toEqual([undefined, undefined, undefined])
    expect(annotations).toEqual([
      {level: 'warning', message: expect.stringMatching(/^Cache entry key was not saved: .+\. The run goes on/)}
    ])
    service.heal()
    // The key itself may stay reserved; keys of entries that are renewed are new in each run.
    const {value: again, annotations: later} = await inRun(async cache => [
      await cache.restore(restored, 'key', []),
      await cache.save(saved, 'other')
    ])
    expect(again).toEqual([undefined, {key: 'other', bytes: size}])
    expect(later).toEqual([])
    await expectNextRunToWork()
  })

  // The library's own attempts, which take half a minute: all at once.
  it('gives up after the attempts of the library when the service answers with errors', async () => {
    await inRun(cache => cache.save(saved, 'key'))
    for (const name of ['GetCacheEntryDownloadURL', 'CreateCacheEntry']) {
      service.fail(name, {status: 503, body: '<html>Service Unavailable</html>'}, always)
    }
    const saver = startSaver({ACTIONS_CACHE_MODE: 'write-only'})
    const [{value, annotations}, said] = await Promise.all([insideRunner(root, job, () => useAll(open())), saver.said])
    const goesOn = /: .*after 5 attempts: .+\. The run goes on without GitHub's cache\.$/
    expect(value).toEqual(nothing)
    expect(annotations).toEqual([{level: 'warning', message: expect.stringMatching(goesOn)}])
    expect(said.trim()).toMatch(goesOn)
    await expectDirectoryAsBefore()
    service.heal()
    await expectNextRunToWork()
  }, 90_000)
})

describe('githubCache with a token that is not allowed everything', () => {
  it('reads the default branch from a pull request, and saves nothing more after the first refusal', async () => {
    await inRun(cache => cache.save(saved, 'key'))
    const reader = service.environment({scopes: [{ref: 'refs/heads/main', writable: false}]})
    const {value, annotations} = await inRun(
      async cache => [
        await cache.save(saved, 'new'),
        await cache.save(saved, 'newer'),
        (await cache.restore(restored, 'key', []))?.key
      ],
      reader
    )
    expect(value).toEqual([undefined, undefined, 'key'])
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('cache write denied')}])
    expect(service.requests().filter(name => name === 'CreateCacheEntry')).toHaveLength(2)
    await expectNextRunToWork()
  })

  it('reads nothing more, but may save, after a refused lookup', async () => {
    const body = '{"code":"permission_denied","msg":"cache read denied: no readable scopes"}'
    service.fail('GetCacheEntryDownloadURL', {status: 403, body}, always)
    const {value, annotations} = await inRun(useAll)
    expect(value).toEqual([undefined, undefined, undefined, {key: 'new', bytes: size}, {key: 'newer', bytes: size}])
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('cache read denied')}])
    expect(service.requests().filter(name => name === 'GetCacheEntryDownloadURL')).toHaveLength(1)
    await expectDirectoryAsBefore()
  })

  it('saves nothing more when the quota is used up', async () => {
    service.fail(
      'CreateCacheEntry',
      {status: 403, body: '{"code":"permission_denied","msg":"insufficient usage"}'},
      always
    )
    const {value, annotations} = await inRun(async cache => [
      await cache.save(saved, 'new'),
      await cache.save(saved, 'newer'),
      await cache.find('key', [])
    ])
    expect(value).toEqual([undefined, undefined, undefined])
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('quota has been hit')}])
    expect(service.requests().slice(-1)).toEqual(['GetCacheEntryDownloadURL'])
  })
})

describe('githubCache with a damaged entry', () => {
  async function damage(how: string): Promise<void> {
    const blob = service.cacheEntries().find(entry => entry.key === 'key')?.blob ?? ''
    const content = join(service.directory, blob, 'content')
    if (how === 'cut off') await truncate(content, 200)
    else await writeFile(content, how)
  }

  it.each(['cut off', '<html>garbage</html>', ''])(
    'restores nothing from it, and can keep the content under its key again: %j',
    async how => {
      await inRun(cache => cache.save(saved, 'key'))
      await damage(how)
      const {value, annotations} = await inRun(async cache => [
        await cache.restore(restored, 'key', []),
        await cache.restore(restored, 'key', []),
        await cache.find('none', [])
      ])
      expect(value).toEqual([undefined, undefined, undefined])
      expect(annotations).toEqual([
        {level: 'warning', message: expect.stringMatching(/^Cache entry key is damaged and was not restored: .+tar/)}
      ])
      await expectDirectoryAsBefore()
      const entry = {key: 'key', bytes: size}
      const use = async (cache: CacheStore) => [
        await cache.restore(restored, 'key', []),
        await cache.save(saved, 'key')
      ]
      expect((await inRun(use)).value).toEqual([undefined, entry])
      expect((await inRun(use)).value).toEqual([entry, undefined])
      expect(await describeTree(restored)).toEqual(await describeTree(saved))
    }
  )

  it('leaves the next run able to save and restore a newer one', async () => {
    await inRun(cache => cache.save(saved, 'key'))
    await damage('cut off')
    const {value, annotations} = await inRun(cache => cache.restore(restored, 'key-2', ['key']))
    expect(value).toBeUndefined()
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('Cache entry key is damaged')}])
    await expectDirectoryAsBefore()
    await expectNextRunToWork()
  })
})

describe('githubCache in a run that is killed', () => {
  it('leaves the next run able to save under another key, and says that this one is taken', async () => {
    service.fail('PUT blob', 'stall', always)
    const {child} = startSaver()
    while (!service.requests().includes('PUT blob')) await new Promise(resolve => setTimeout(resolve, 20))
    child.kill('SIGKILL')
    await once(child, 'close')
    service.heal()
    const {value, annotations, log} = await inRun(async cache => [
      await cache.restore(restored, 'key', []),
      await cache.save(saved, 'key')
    ])
    expect(value).toEqual([undefined, undefined])
    expect(log).toContain('Cache entry key was not saved: another run is saving it, or never finished.')
    expect(annotations).toEqual([])
    await expectDirectoryAsBefore()
    await expectNextRunToWork()
  })
})

await describeWithSmallDisk('githubCache on a full disk', () => {
  const capacity = 64 * 1024
  const unmounts: (() => Promise<void>)[] = []

  beforeEach(async () => {
    await writeFile(join(saved, 'large'), Buffer.alloc(4 * capacity))
    await inRun(cache => cache.save(saved, 'key'))
  })

  afterEach(async () => {
    for (const unmount of unmounts.splice(0)) await unmount()
  })

  it('restores nothing when the content does not fit', async () => {
    const disk = join(root, 'disk')
    unmounts.push(await mountSmallDisk(disk, capacity))
    await mkdir(join(disk, 'restored'))
    await writeFile(join(disk, 'restored', 'old'), '')
    const {value, annotations} = await inRun(async cache => [
      await cache.restore(join(disk, 'restored'), 'key', []),
      await cache.restore(join(disk, 'restored'), 'key', []),
      (await cache.restore(restored, 'key', []))?.key
    ])
    expect(value).toEqual([undefined, undefined, 'key'])
    expect(annotations).toEqual([
      {level: 'warning', message: expect.stringMatching(/not restored: .*No space left on/)}
    ])
    expect(await describeTree(disk)).toEqual(['restored/', 'restored/old 644 '])
    await rm(disk, {recursive: true, force: true}).catch(() => undefined)
    await expectNextRunToWork()
  })

  it('restores and saves nothing when the archive does not fit', async () => {
    const random = join(root, 'random')
    await mkdir(random)
    await writeFile(join(random, 'large'), Buffer.from(Array.from({length: 2 * capacity}, () => Math.random() * 256)))
    await inRun(cache => cache.save(random, 'random'))
    const disk = join(root, 'disk')
    unmounts.push(await mountSmallDisk(disk, capacity))
    const {value, annotations} = await inRun(
      async cache => [await cache.restore(restored, 'random', []), await cache.save(random, 'new')],
      {...job, RUNNER_TEMP: disk}
    )
    expect(value).toEqual([undefined, undefined])
    expect(annotations).toEqual([{level: 'warning', message: expect.stringMatching(/no space left on device/i)}])
    expect(await describeTree(restored)).toEqual(['old 644 '])
    await expectNextRunToWork()
  })
})
