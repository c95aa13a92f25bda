import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeAll, beforeEach, describe, expect, it, jest} from '@jest/globals'
import {githubCache} from '../../src/adapters/github-cache.js'
import {githubLog} from '../../src/adapters/github-log.js'
import type {CacheEntry, CacheStore} from '../../src/ports.js'
import {describeTree, writeTree} from '../support/directory-tree.js'
import {type Inside, insideRunner} from '../support/inside-runner.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'

const size = expect.any(Number)
let root: string
let service: ResultsService
let job: Record<string, string>
let saved: string
let restored: string

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
  await writeTree(saved)
})

afterEach(async () => {
  await service.close()
  await rm(root, {recursive: true, force: true})
})

async function inJob<T>(
  work: (cache: CacheStore) => Promise<T>,
  variables: Record<string, string> = job,
  runner = root
): Promise<Inside<T>> {
  return await insideRunner(runner, variables, async () => {
    const cache = githubCache(process.env, githubLog())
    if (cache === undefined) throw new Error('no cache')
    return await work(cache)
  })
}

async function save(key: string, content = saved): Promise<CacheEntry | undefined> {
  return (await inJob(cache => cache.save(content, key))).value
}

describe('githubCache', () => {
  it('misses in an empty cache without a word', async () => {
    const {value, annotations} = await inJob(cache => cache.restore(restored, 'key', ['k']))
    expect(value).toBeUndefined()
    expect(annotations).toEqual([])
    expect(await describeTree(root)).not.toContain('restored/')
  })

  it('brings back what was saved, on a runner with other paths, with modes and links', async () => {
    const entry = await save('key')
    expect(entry).toEqual({key: 'key', bytes: size})
    const elsewhere = join(root, 'another', 'runner', 'of', 'greater', 'depth')
    const {value} = await inJob(cache => cache.restore(restored, 'key', []), job, elsewhere)
    expect(value).toEqual(entry)
    expect(await describeTree(restored)).toEqual(await describeTree(saved))
    expect(await readdir(join(elsewhere, 'workspace'))).toEqual([])
  })

  it('works as before on GitHub Enterprise Server, which has version 1 of the service', async () => {
    const enterprise = service.enterpriseEnvironment()
    const {value, annotations} = await inJob(
      async cache => [
        await cache.restore(restored, 'layers-1', ['layers-']),
        await cache.save(saved, 'layers-1'),
        await cache.save(saved, 'layers-1'),
        await cache.find('layers-2', ['layers-']),
        await cache.restore(restored, 'layers-2', ['layers-'])
      ],
      enterprise
    )
    const entry = {key: 'layers-1', bytes: size}
    expect(value).toEqual([undefined, entry, undefined, 'layers-1', entry])
    expect(annotations).toEqual([])
    expect(await describeTree(restored)).toEqual(await describeTree(saved))
    expect(service.requests()).toContain('PATCH caches')
  })

  it('replaces what was in the directory', async () => {
    await save('key')
    await mkdir(restored)
    await writeFile(join(restored, 'old'), '')
    await inJob(cache => cache.restore(restored, 'key', []))
    expect(await describeTree(restored)).toEqual(await describeTree(saved))
  })

  it('takes the newest entry of the first prefix that has one', async () => {
    for (const key of ['layers-1', 'layers-2', 'other-3']) await save(key)
    const {value} = await inJob(cache => cache.restore(restored, 'layers-4', ['none-', 'layers-', 'other-']))
    expect(value?.key).toBe('layers-2')
  })

  it('finds what it would restore without fetching it', async () => {
    for (const key of ['layers-1', 'layers-2']) await save(key)
    const before = service.requests().length
    const {value} = await inJob(async cache => [
      await cache.find('layers-1', []),
      await cache.find('layers-3', ['layers-']),
      await cache.find('layers-3', [])
    ])
    expect(value).toEqual(['layers-1', 'layers-2', undefined])
    expect(new Set(service.requests().slice(before))).toEqual(new Set(['GetCacheEntryDownloadURL']))
  })

  it('runs several transfers at once without mixing them up', async () => {
    const second = join(root, 'second')
    await writeTree(second, 'of the second')
    const {value} = await inJob(async cache => [
      ...(await Promise.all([cache.save(saved, 'one'), cache.save(second, 'two')])),
      ...(await Promise.all([cache.restore(restored, 'one', []), cache.restore(`${restored}2`, 'two', [])]))
    ])
    expect(value.map(entry => entry?.key)).toEqual(['one', 'two', 'one', 'two'])
    expect(await describeTree(`${restored}2`)).toEqual(await describeTree(second))
  })

  it('keeps what the library prints apart from what others print at the same time, and hands on its masks', async () => {
    const log = githubLog()
    const {log: shown} = await inJob(async cache => {
      const other = setInterval(() => {
        log.info('::warning::from the build')
      }, 1)
      await cache.save(saved, 'key')
      await cache.restore(restored, 'key', [])
      clearInterval(other)
      log.info('after it')
    })
    const lines = shown.split('\n')
    const own = '|::warning::from the build'
    expect(lines.filter(line => line === own).length).toBeGreaterThan(5)
    // A message of several lines for debugging is one command.
    expect(lines.filter(line => line !== own).join('\n')).toMatch(/^##\[debug\][^#]*(##\[debug\][^#]*)*after it$/)
    expect(shown).toContain('##[debug]Cache restored successfully')
    expect(shown).toContain('##[debug][command]')
    expect(shown).toMatch(/sig=\*\*\*/)
    expect(shown).not.toMatch(/sig=[0-9a-f]/)
  })

  it('leaves an existing entry as it is, before compressing anything', async () => {
    await save('key')
    const before = service.requests().length
    const {value, log, annotations} = await inJob(cache => cache.save(saved, 'key'))
    expect(value).toBeUndefined()
    expect(log).toContain('Cache entry key exists already')
    expect(annotations).toEqual([])
    expect(service.requests().slice(before)).toEqual(['GetCacheEntryDownloadURL'])
  })

  it('gives way to another job that takes the key meanwhile', async () => {
    service.fail('CreateCacheEntry', {status: 409, body: '{"code":"already_exists","msg":"exists"}'})
    const {value, log, annotations} = await inJob(async cache => [
      await cache.save(saved, 'key'),
      await cache.save(saved, 'next')
    ])
    expect(value).toEqual([undefined, {key: 'next', bytes: size}])
    expect(log).toContain('Cache entry key was not saved: another run is saving it, or never finished.')
    expect(annotations).toEqual([])
  })

  it('does not see entries of another branch', async () => {
    await save('key')
    const other = service.environment({scopes: [{ref: 'refs/heads/other', writable: true}]})
    expect((await inJob(cache => cache.restore(restored, 'key', []), other)).value).toBeUndefined()
  })

  it('takes an entry of another version for none, and saves its own beside it', async () => {
    const programs = join(root, 'programs')
    await mkdir(programs)
    for (const name of ['tar', 'gzip'])
      await writeFile(join(programs, name), `#!/bin/sh\nexec /usr/bin/${name} "$@"\n`, {mode: 0o755})
    await inJob(cache => cache.save(saved, 'key'), {...job, PATH: programs})
    const {value, annotations} = await inJob(async cache => [
      await cache.restore(restored, 'key', ['k']),
      await cache.save(saved, 'key'),
      await cache.restore(restored, 'key', [])
    ])
    const entry = {key: 'key', bytes: size}
    expect(value).toEqual([undefined, entry, entry])
    expect(annotations).toEqual([])
    expect(new Set(service.cacheEntries().map(({version}) => version)).size).toBe(2)
  })

  it.each([
    ['a key that is too long', () => 'k'.repeat(513), () => saved],
    ['an empty directory', () => 'key', () => join(root, 'workspace')],
    ['no directory at all', () => 'key', () => join(root, 'nowhere')]
  ])('only warns when asked to save %s', async (_, key, content) => {
    const {value, annotations} = await inJob(async cache => [
      await cache.save(content(), key()),
      await cache.save(saved, 'next')
    ])
    expect(value).toEqual([undefined, {key: 'next', bytes: size}])
    expect(annotations).toEqual([{level: 'warning', message: expect.stringMatching(/was not (?:looked up|saved): /)}])
  })

  const unread = "The cache is not read: this run's cache mode is"
  const unsaved = "Nothing is saved in the cache: this run's cache mode is"
  it.each([
    ['none', [undefined, undefined, undefined, undefined, undefined], [`${unread} 'none'.`, `${unsaved} 'none'.`]],
    ['read', ['key', 'key', undefined, undefined, undefined], [`${unsaved} 'read'.`]],
    ['write-only', [undefined, undefined, undefined, 'new', 'newer'], [`${unread} 'write-only'.`]]
  ])('obeys the cache mode %s and says so once', async (mode, expected, messages) => {
    await save('key')
    const {value, log, annotations} = await inJob(
      async cache => [
        await cache.find('key', []),
        (await cache.restore(restored, 'key', []))?.key,
        (await cache.restore(restored, 'none', []))?.key,
        (await cache.save(saved, 'new'))?.key,
        (await cache.save(saved, 'newer'))?.key
      ],
      {...job, ACTIONS_CACHE_MODE: mode}
    )
    expect(value).toEqual(expected)
    expect(log.split('\n').filter(line => line.includes('cache mode is'))).toEqual(messages)
    expect(annotations).toEqual([])
  })

  it.each([
    ['ACTIONS_RUNTIME_TOKEN', () => job],
    ['ACTIONS_RESULTS_URL', () => job],
    ['ACTIONS_CACHE_SERVICE_V2', () => job],
    ['ACTIONS_RUNTIME_TOKEN', () => service.enterpriseEnvironment()],
    ['ACTIONS_CACHE_URL', () => service.enterpriseEnvironment()]
  ])('does not exist without %s', async (name, variables) => {
    const store = (environment: Record<string, string>) =>
      insideRunner(root, environment, () => Promise.resolve(githubCache(process.env, githubLog())))
    expect((await store(variables())).value).toBeDefined()
    expect((await store({...variables(), [name]: ''})).value).toBeUndefined()
  })
})
