import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, mkdtemp, readdir, rm, truncate, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it, jest} from '@jest/globals'
import {systemCommands} from '../../src/adapters/commands.js'
import {folderCache} from '../../src/adapters/folder-cache.js'
import {terminalLog} from '../../src/adapters/terminal-log.js'
import type {CacheStore} from '../../src/ports.js'
import {describeTree, writeTree} from '../support/directory-tree.js'
import {describeWithSmallDisk, mountSmallDisk} from '../support/small-disk.js'

const size = expect.any(Number)
let root: string
let folder: string
let saved: string
let restored: string
let warnings: string[]

jest.setTimeout(30_000)

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder-cache-'))
  folder = join(root, 'cache', 'v1')
  saved = join(root, 'saved')
  restored = join(root, 'restored')
  warnings = []
  await writeTree(saved)
  await mkdir(restored)
  await writeFile(join(restored, 'old'), '')
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

/** The store of a new run. */
function cache(path = join(root, 'cache')): CacheStore {
  const log = terminalLog(text => {
    if (text.startsWith('Warning: ')) warnings.push(text.trim())
  })
  const limits = {maximumBytes: 2 ** 30, maximumAgeMilliseconds: 2 ** 40}
  return folderCache(path, limits, systemCommands(new AbortController().signal), log)
}

async function expectDirectoryAsBefore(): Promise<void> {
  expect(await describeTree(restored)).toEqual(['old 644 '])
  expect((await readdir(root)).filter(name => name.startsWith('restored'))).toEqual(['restored'])
}

/** A later run saves and restores, without a word. */
async function expectNextRunToWork(): Promise<void> {
  warnings = []
  const store = cache()
  const entry = {key: 'key-of-next-run', bytes: size}
  expect(await store.save(saved, 'key-of-next-run')).toEqual(entry)
  expect(await store.restore(restored, 'key-of-next-run', [])).toEqual(entry)
  expect(await describeTree(restored)).toEqual(await describeTree(saved))
  expect(warnings).toEqual([])
}

describe('folderCache with what it cannot use', () => {
  it.each(['cut off', 'no archive at all', ''])('passes over a damaged entry once and for all: %j', async how => {
    await cache().save(saved, 'key')
    const path = join(folder, 'key.tar.zst')
    await (how === 'cut off' ? truncate(path, 100) : writeFile(path, how))
    const store = cache()
    expect(await store.restore(restored, 'key', ['k'])).toBeUndefined()
    expect(await store.restore(restored, 'key', ['k'])).toBeUndefined()
    expect(warnings).toEqual([
      expect.stringMatching(/key\.tar\.zst was not restored: tar exited with \d.*goes on without it/)
    ])
    await expectDirectoryAsBefore()
    warnings = []
    expect(await cache().save(saved, 'key')).toEqual({key: 'key', bytes: size})
    expect((await cache().restore(restored, 'key', []))?.key).toBe('key')
    await expectNextRunToWork()
  })

  it('does not touch entries of another layout, nor anything else', async () => {
    const foreign = ['v2/key.tar.zst', 'key.tar.zst', 'v1/key.tar.lz4', 'v1/key.tar.zst/part', 'v1/%E0%A4%A.tar.zst']
    for (const path of foreign) {
      await mkdir(join(root, 'cache', path, '..'), {recursive: true})
      await writeFile(join(root, 'cache', path), 'foreign')
    }
    expect(await cache().find('key', ['k'])).toBeUndefined()
    expect(await cache().restore(restored, 'key', ['k'])).toBeUndefined()
    await expectDirectoryAsBefore()
    await expectNextRunToWork()
    expect(await describeTree(join(root, 'cache'))).toEqual(
      expect.arrayContaining(foreign.map(path => `${path} 644 foreign`))
    )
  })

  it('says once that its folder is none, and works again when it is one', async () => {
    await writeFile(join(root, 'cache'), 'a file')
    const store = cache()
    expect(await store.find('key', ['k'])).toBeUndefined()
    expect(await store.restore(restored, 'key', ['k'])).toBeUndefined()
    expect(await store.save(saved, 'key')).toBeUndefined()
    expect(await store.save(saved, 'other')).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining('Cache entry key was not saved')])
    await expectDirectoryAsBefore()
    await rm(join(root, 'cache'))
    await expectNextRunToWork()
  })
})

describe('folderCache in a run that is killed', () => {
  it('leaves an unfinished file, which the next save removes', async () => {
    // Large enough that the compressor is still at it, and no disk is filled.
    await truncate(join(saved, 'program'), 2 ** 36)
    const program = join(import.meta.dirname, '..', 'support', 'cache-saver.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', program, saved, 'key', join(root, 'cache')], {
      detached: true,
      stdio: 'ignore'
    })
    const partial = async () => (await readdir(folder).catch(() => [])).filter(name => name.endsWith('.partial'))
    while ((await partial()).length === 0) await new Promise(resolve => setTimeout(resolve, 20))
    // The file of a run that is alive stays.
    await writeFile(join(saved, 'program'), '')
    expect(await cache().save(saved, 'meanwhile')).toEqual({key: 'meanwhile', bytes: size})
    expect(await partial()).toHaveLength(1)
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    await once(child, 'close')
    await expectNextRunToWork()
    expect(await readdir(folder)).toEqual(['key-of-next-run.tar.zst', 'meanwhile.tar.zst'])
  })
})

await describeWithSmallDisk('folderCache on a full disk', () => {
  const capacity = 64 * 1024
  let disk: string
  let unmount: () => Promise<void>

  beforeEach(async () => {
    disk = join(root, 'disk')
    unmount = await mountSmallDisk(disk, capacity)
    for (const name of ['large', 'larger']) {
      await writeFile(join(saved, name), Buffer.from(Array.from({length: 2 * capacity}, () => Math.random() * 256)))
    }
  })

  afterEach(async () => {
    await unmount()
  })

  it('restores nothing when the content does not fit, and keeps the entry', async () => {
    for (const key of ['key-1', 'key-2']) await cache().save(saved, key)
    const target = join(disk, 'restored')
    await mkdir(target)
    await writeFile(join(target, 'old'), '')
    const store = cache()
    expect(await store.restore(target, 'key-1', ['key-'])).toBeUndefined()
    expect(await store.restore(target, 'key-2', [])).toBeUndefined()
    expect(warnings).toEqual([expect.stringMatching(/key-1\.tar\.zst was not restored: .*No space left on device/)])
    expect(await describeTree(disk)).toEqual(['restored/', 'restored/old 644 '])
    expect((await cache().restore(restored, 'key-1', []))?.key).toBe('key-1')
    await expectNextRunToWork()
  })

  it('saves nothing when the entry does not fit, and leaves nothing behind', async () => {
    const small = join(root, 'small')
    await writeTree(small)
    const store = cache(disk)
    expect(await store.save(saved, 'key')).toBeUndefined()
    expect(await store.save(saved, 'other')).toBeUndefined()
    expect(warnings).toEqual([
      expect.stringMatching(/^Warning: Cache entry key was not saved in .*no space left on device/i)
    ])
    expect(await readdir(join(disk, 'v1'))).toEqual([])
    expect(await store.save(small, 'small')).toEqual({key: 'small', bytes: size})
  })
})
