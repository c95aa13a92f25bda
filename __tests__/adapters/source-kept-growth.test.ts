import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it, jest} from '@jest/globals'
import {startGitServer} from '../../sandbox/git-server.js'
import type {HttpServer} from '../../sandbox/http-server.js'
import {git} from '../support/engine-repository.js'
import {type GrowingRepository, makeGrowingRepository} from '../support/growing-repository.js'
import {keptObjects} from '../support/kept-objects.js'

jest.setTimeout(600_000)

const mebibyte = 1024 * 1024
let root: string
let moby: GrowingRepository
let server: HttpServer
let serverUrl: string
let kept: ReturnType<typeof keptObjects>

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'source-'))
  moby = await makeGrowingRepository(root, 6 * mebibyte)
  server = await startGitServer({addresses: ['127.0.0.1'], root, log: () => undefined})
  serverUrl = `http://127.0.0.1:${server.port}`
  kept = keptObjects(root)
})

afterEach(async () => {
  await server.stop()
  await rm(root, {recursive: true, force: true})
})

describe('saveGitObjects', () => {
  it('keeps entries flat over thirty nights of a moving branch, and makes few of them', async () => {
    const sizes: number[] = []
    const received: number[] = []
    for (let night = 1; night <= 30; night++) {
      const {objects, save, directory} = await kept.checkOut('master', {serverUrl})
      received.push(objects.receivedBytes)
      const {saved} = await save()
      if (saved?.bytes !== undefined) sizes.push(saved.bytes)
      await rm(directory, {recursive: true})
      await moby.grow(mebibyte / 2)
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1.3 * (sizes[0] ?? 0))
    expect(sizes.length).toBeGreaterThan(1)
    expect(sizes.length).toBeLessThanOrEqual(15)
    // The files that changed since the entry was saved, but never the files that did not.
    expect(Math.max(...received.slice(1))).toBeLessThan(2 * mebibyte)
  })

  it('saves again what many runs would fetch again, without what nobody needs any more', async () => {
    await (await kept.checkOut('master', {serverUrl})).save()
    await moby.grow(mebibyte / 2)
    const small = await kept.checkOut('master', {serverUrl})
    expect(await small.save()).not.toHaveProperty('saved')

    await moby.grow(2 * mebibyte)
    const large = await kept.checkOut('master', {serverUrl})
    expect(large.objects.account).toMatchObject({restored: {}, exact: false})
    expect(await large.save()).toMatchObject({saved: {}})
    const exact = await kept.checkOut('master', {serverUrl})
    expect(exact.objects).toMatchObject({receivedBytes: 0, account: {exact: true}})
    expect(await git(exact.directory, 'status', '--porcelain')).toBe('')
    expect(await git(exact.directory, 'rev-list', '--count', 'HEAD')).toBe('3')
  })

  it('lets refs with other files share an entry, and then have their own', async () => {
    const old = await moby.grow(3 * mebibyte)
    await git(root, '-C', join(root, 'moby', 'moby.git'), 'tag', 'v1.0.0', `${old}~1`)
    await git(root, '-C', join(root, 'moby', 'moby.git'), 'tag', 'v2.0.0', old)
    await (await kept.checkOut('v1.0.0', {serverUrl})).save()
    const shared = await kept.checkOut('v2.0.0', {serverUrl})
    expect(shared.objects.account).toMatchObject({restored: {}, exact: false})
    await shared.save()
    for (const ref of ['v1.0.0', 'v2.0.0']) {
      const {objects, save} = await kept.checkOut(ref, {serverUrl})
      expect(objects).toMatchObject({receivedBytes: 0, account: {exact: true}})
      await save()
    }
    expect(await kept.entries()).toHaveLength(2)
  })

  it('keeps a full history whole', async () => {
    const first = await kept.checkOut('master', {serverUrl, history: 'full'})
    await first.save()
    await moby.grow(3 * mebibyte)
    const second = await kept.checkOut('master', {serverUrl, history: 'full'})
    expect(await second.save()).toMatchObject({saved: {}})
    const third = await kept.checkOut('master', {serverUrl, history: 'full'})
    expect(third.objects).toMatchObject({receivedBytes: 0, account: {exact: true}})
    await git(third.directory, 'fsck', '--full')
    expect(await git(third.directory, 'rev-list', '--all', '--objects', '--missing=print')).not.toContain('?')
  })

  it('says what went wrong, and fails nothing', async () => {
    const {objects, directory, save} = await kept.checkOut('master', {serverUrl})
    await rm(join(directory, '.git'), {recursive: true})
    expect(await save()).toEqual(objects.account)
    expect(await kept.entries()).toEqual([])
    expect(await readFile(join(directory, '0'))).toHaveLength(1.5 * mebibyte)
  })
})
