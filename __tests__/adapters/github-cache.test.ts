import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {githubCache} from '../../src/adapters/github-cache.js'
import {githubLog} from '../../src/adapters/github-log.js'
import type {CacheStore} from '../../src/ports.js'
import {describeTree, writeTree} from '../support/directory-tree.js'
import {type Inside, insideRunner} from '../support/inside-runner.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'

let root: string
let service: ResultsService
let job: Record<string, string>
let saved: string
let restored: string

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

async function save(key: string, content = saved): Promise<boolean> {
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
    expect(await save('key')).toBe(true)
    const elsewhere = join(root, 'another', 'runner', 'of', 'greater', 'depth')
    const {value} = await inJob(cache => cache.restore(restored, 'key', []), job, elsewhere)
    expect(value).toBe('key')
    expect(await describeTree(restored)).toEqual(await describeTree(saved))
    expect(await readdir(join(elsewhere, 'workspace'))).toEqual([])
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
    expect(value).toBe('layers-2')
  })

  it('runs several transfers at once without mixing them up', async () => {
    const second = join(root, 'second')
    await writeTree(second, 'of the second')
    const {value} = await inJob(async cache => [
      ...(await Promise.all([cache.save(saved, 'one'), cache.save(second, 'two')])),
      ...(await Promise.all([cache.restore(restored, 'one', []), cache.restore(`${restored}2`, 'two', [])]))
    ])
    expect(value).toEqual([true, true, 'one', 'two'])
    expect(await describeTree(`${restored}2`)).toEqual(await describeTree(second))
  })

  it('leaves an existing entry as it is, before compressing anything', async () => {
    await save('key')
    const before = service.requests().length
    const {value, log, annotations} = await inJob(cache => cache.save(saved, 'key'))
    expect(value).toBe(false)
    expect(log).toContain('Cache entry key exists already')
    expect(annotations).toEqual([])
    expect(service.requests().slice(before)).toEqual(['GetCacheEntryDownloadURL'])
  })

  it('gives way to another job that takes the key meanwhile', async () => {
    service.fail('CreateCacheEntry', {status: 409, body: '{"code":"already_exists","msg":"exists"}'})
    const {value, log} = await inJob(cache => cache.save(saved, 'key'))
    expect(value).toBe(false)
    expect(log).toContain('another job may be creating this cache')
  })

  it('reads the default branch from a pull request, and is not allowed to write there', async () => {
    await save('key')
    const reader = service.environment({scopes: [{ref: 'refs/heads/main', writable: false}]})
    const {value, annotations} = await inJob(
      async cache => [await cache.restore(restored, 'key', []), await cache.save(saved, 'new')],
      reader
    )
    expect(value).toEqual(['key', false])
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('cache write denied')}])
  })

  it('does not see entries of another branch', async () => {
    await save('key')
    const other = service.environment({scopes: [{ref: 'refs/heads/other', writable: true}]})
    expect((await inJob(cache => cache.restore(restored, 'key', []), other)).value).toBeUndefined()
  })

  it.each([
    ['cut off', 'truncate'],
    ['refused by the storage', {status: 500}],
    ['an error page', {status: 404, body: '<html>not found</html>'}]
  ] as const)('restores nothing at all from a download that is %s', async (_, fault) => {
    await save('key')
    await mkdir(restored)
    await writeFile(join(restored, 'old'), '')
    service.fail('GET blob', fault)
    const {value, annotations} = await inJob(cache => cache.restore(restored, 'key', []))
    expect(value).toBeUndefined()
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('Failed to restore')}])
    expect(await describeTree(restored)).toEqual(['old 644 '])
    expect((await readdir(root)).sort()).toEqual(['restored', 'saved', 'temporary', 'workspace'])
    expect(await readdir(join(root, 'workspace'))).toEqual([])
  })

  it('only warns when the service cannot be reached', async () => {
    const gone = await startResultsService()
    const variables = gone.environment()
    await gone.close()
    const {value, annotations} = await inJob(
      async cache => [await cache.restore(restored, 'key', []), await cache.save(saved, 'key')],
      variables
    )
    expect(value).toEqual([undefined, false])
    expect(annotations.map(annotation => annotation.level)).not.toContain('error')
  })

  it.each([
    ['a key that is too long', () => 'k'.repeat(513), () => saved],
    ['an empty directory', () => 'key', () => join(root, 'workspace')],
    ['no directory at all', () => 'key', () => join(root, 'nowhere')]
  ])('only warns when asked to save %s', async (_, key, content) => {
    const {value, annotations} = await inJob(cache => cache.save(content(), key()))
    expect(value).toBe(false)
    expect(annotations).toEqual([{level: 'warning', message: expect.stringContaining('was not saved: ')}])
  })

  it.each([
    ['read', ['key', undefined, false, false], "Nothing is saved in the cache: this run's cache mode is 'read'."],
    ['write-only', [undefined, undefined, true, true], "The cache is not read: this run's cache mode is 'write-only'."]
  ])('obeys the cache mode %s and says so once', async (mode, expected, message) => {
    await save('key')
    const {value, log} = await inJob(
      async cache => [
        await cache.restore(restored, 'key', []),
        await cache.restore(restored, 'none', []),
        await cache.save(saved, 'new'),
        await cache.save(saved, 'newer')
      ],
      {...job, ACTIONS_CACHE_MODE: mode}
    )
    expect(value).toEqual(expected)
    expect(log.split('\n').filter(line => line === message)).toHaveLength(1)
  })

  it.each(['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL'])('does not exist without %s', async name => {
    const {value} = await insideRunner(root, {...job, [name]: ''}, () =>
      Promise.resolve(githubCache(process.env, githubLog()))
    )
    expect(value).toBeUndefined()
  })
})
