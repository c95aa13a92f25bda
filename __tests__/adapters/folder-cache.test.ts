import {copyFile, mkdir, mkdtemp, readdir, rm, stat, symlink, truncate, utimes, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it, jest} from '@jest/globals'
import {systemCommands} from '../../src/adapters/commands.js'
import {type FolderCacheLimits, folderCache} from '../../src/adapters/folder-cache.js'
import {terminalLog} from '../../src/adapters/terminal-log.js'
import type {CacheStore, Commands} from '../../src/ports.js'
import {describeTree, writeTree} from '../support/directory-tree.js'

const day = 24 * 60 * 60
const generous = {maximumBytes: 1024 * 1024, maximumAgeMilliseconds: 30 * day * 1000}
const commands = systemCommands(new AbortController().signal)
let root: string
let folder: string
let saved: string
let restored: string
let log: string

jest.setTimeout(30_000)

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder-cache-'))
  folder = join(root, 'cache', 'v1')
  saved = join(root, 'saved')
  restored = join(root, 'restored')
  log = ''
  await writeTree(saved)
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

function cache(limits: FolderCacheLimits = generous, programs: Commands = commands): CacheStore {
  return folderCache(
    join(root, 'cache'),
    limits,
    programs,
    terminalLog(text => {
      log += text
    })
  )
}

/** The same programs, found on a PATH that has no zstd. */
async function commandsWithoutZstd(): Promise<Commands> {
  const directory = join(root, 'programs')
  await mkdir(directory)
  for (const name of ['tar', 'gzip']) await symlink(`/usr/bin/${name}`, join(directory, name))
  return {...commands, capture: argv => commands.capture(['/usr/bin/env', `PATH=${directory}`, ...argv])}
}

/** Sets when an entry was saved and last used, in days before now. */
async function age(key: string, savedDays: number, usedDays = savedDays): Promise<void> {
  const now = Date.now() / 1000
  await utimes(join(folder, `${key}.tar.zst`), now - usedDays * day, now - savedDays * day)
}

describe('folderCache', () => {
  it('misses in a folder that does not exist', async () => {
    expect(await cache().restore(restored, 'key', ['k'])).toBeUndefined()
    expect(log).toBe('')
  })

  it('brings back what was saved, with modes and links', async () => {
    const entry = await cache().save(saved, 'layers/v1: a key')
    expect(entry).toEqual({key: 'layers/v1: a key', bytes: expect.any(Number)})
    expect(await cache().restore(restored, 'layers/v1: a key', [])).toEqual(entry)
    expect(await describeTree(restored)).toEqual(await describeTree(saved))
    expect(await readdir(folder)).toEqual(['layers%2Fv1%3A%20a%20key.tar.zst'])
    expect(entry?.bytes).toBe((await stat(join(folder, 'layers%2Fv1%3A%20a%20key.tar.zst'))).size)
  })

  it('prefers the exact key, then the newest entry of the first prefix that has one', async () => {
    for (const key of ['layers-1', 'layers-2', 'other-1']) await cache().save(saved, key)
    await age('layers-2', 2)
    await age('layers-1', 1)
    expect((await cache().restore(restored, 'layers-2', ['layers-']))?.key).toBe('layers-2')
    expect(await cache().find('layers-2', ['layers-'])).toBe('layers-2')
    expect((await cache().restore(restored, 'layers-3', ['none-', 'layers-', 'other-']))?.key).toBe('layers-1')
    expect(await cache().find('layers-3', ['none-', 'layers-', 'other-'])).toBe('layers-1')
    expect(await cache().restore(restored, 'layers-', [])).toBeUndefined()
    expect(await cache().find('layers-', [])).toBeUndefined()
  })

  it('never overwrites an entry', async () => {
    await cache().save(saved, 'key')
    await writeFile(join(saved, 'new'), '')
    expect(await cache().save(saved, 'key')).toBeUndefined()
    expect(log).toContain('exists already')
    await cache().restore(restored, 'key', [])
    expect(await readdir(restored)).not.toContain('new')
  })

  it('keeps one whole entry when several runs save the same key at once', async () => {
    const results = await Promise.all([1, 2, 3].map(() => cache().save(saved, 'key')))
    expect(results.filter(result => result !== undefined)).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['key.tar.zst'])
  })

  it.each(['cut off', 'foreign'])('passes over a newer entry that is %s, and removes it', async damage => {
    const [good, bad] = [join(folder, 'layers-good.tar.zst'), join(folder, 'layers-bad.tar.zst')]
    await cache().save(saved, 'layers-good')
    await age('layers-good', 1)
    if (damage === 'foreign') await writeFile(bad, 'no archive at all')
    else {
      await copyFile(good, bad)
      await truncate(bad, Math.floor((await stat(bad)).size / 2))
    }
    await mkdir(restored)
    await writeFile(join(restored, 'old'), '')
    expect((await cache().restore(restored, 'layers-bad', ['layers-']))?.key).toBe('layers-good')
    expect(await describeTree(restored)).toEqual(await describeTree(saved))
    expect(log).toContain('layers-bad.tar.zst was not restored')
    expect(await readdir(folder)).toEqual(['layers-good.tar.zst'])
  })

  it('leaves the directory as it was when no entry can be used', async () => {
    await mkdir(folder, {recursive: true})
    await writeFile(join(folder, 'key.tar.zst'), 'no archive at all')
    await mkdir(restored)
    await writeFile(join(restored, 'old'), '')
    expect(await cache().restore(restored, 'key', [])).toBeUndefined()
    expect(await describeTree(restored)).toEqual(['old 644 '])
    expect((await readdir(root)).sort()).toEqual(['cache', 'restored', 'saved'])
  })

  it('does without zstd on a machine that has none', async () => {
    const programs = await commandsWithoutZstd()
    await cache().save(saved, 'layers-zstd')
    expect(await cache(generous, programs).restore(restored, 'layers-zstd', ['layers-'])).toBeUndefined()
    expect((await cache(generous, programs).save(saved, 'layers-gzip'))?.key).toBe('layers-gzip')
    expect((await cache(generous, programs).restore(restored, 'layers-gzip', []))?.key).toBe('layers-gzip')
    expect(await describeTree(restored)).toEqual(await describeTree(saved))
    expect((await readdir(folder)).sort()).toEqual(['layers-gzip.tar.gz', 'layers-zstd.tar.zst'])
  })

  it('removes the entries that were not used for longest when there is no room', async () => {
    for (const key of ['a', 'b', 'c']) await cache().save(saved, key)
    await age('a', 6, 0.5)
    await age('b', 9, 0.3)
    await age('c', 5, 0.4)
    await cache().restore(restored, 'a', [])
    const {size} = await stat(join(folder, 'a.tar.zst'))
    await cache({...generous, maximumBytes: size * 3.5}).save(saved, 'd')
    expect((await readdir(folder)).sort()).toEqual(['a.tar.zst', 'b.tar.zst', 'd.tar.zst'])
  })

  it('removes entries and unfinished files that are too old, and nothing that is not its own', async () => {
    await cache().save(saved, 'old')
    await age('old', 40)
    await writeFile(join(folder, 'crashed.partial'), '')
    await utimes(join(folder, 'crashed.partial'), 0, 0)
    await writeFile(join(folder, 'notes.txt'), '')
    await utimes(join(folder, 'notes.txt'), 0, 0)
    await cache().save(saved, 'new')
    expect((await readdir(folder)).sort()).toEqual(['new.tar.zst', 'notes.txt'])
  })

  it.each([
    ['an entry beyond the limit', () => saved, {...generous, maximumBytes: 10}, 'more than the 10 bytes'],
    ['a directory that does not exist', () => join(root, 'nowhere'), generous, 'tar exited with 2']
  ])('says why it does not save %s', async (_, content, limits, message) => {
    expect(await cache(limits).save(content(), 'key')).toBeUndefined()
    expect(log).toContain(message)
    expect(await readdir(folder)).toEqual([])
  })
})
