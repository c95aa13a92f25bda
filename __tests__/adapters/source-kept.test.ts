import {mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, truncate, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it, jest} from '@jest/globals'
import {startGitServer} from '../../sandbox/git-server.js'
import type {HttpServer} from '../../sandbox/http-server.js'
import {systemCommands} from '../../src/adapters/commands.js'
import {acquireSource} from '../../src/source/acquire-source.js'
import {type EngineRepository, git, makeEngineRepository} from '../support/engine-repository.js'
import {keptObjects} from '../support/kept-objects.js'
import {recordingPorts, sourceRequest} from '../support/source-request.js'

// Every test has several runs, each with a dozen git commands.
jest.setTimeout(60_000)

let root: string
let engine: EngineRepository
let server: HttpServer
let serverUrl: string
let kept: ReturnType<typeof keptObjects>

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'source-'))
  engine = await makeEngineRepository(root)
  server = await startGitServer({addresses: ['127.0.0.1'], root, log: () => undefined})
  serverUrl = `http://127.0.0.1:${server.port}`
  kept = keptObjects(root)
})

afterEach(async () => {
  await server.stop()
  await rm(root, {recursive: true, force: true})
})

/** Everything that people and programs see of a repository. */
async function seen(directory: string): Promise<Record<string, string>> {
  return {
    // With version 1, extensions are allowed, and there are none.
    configuration: (await git(directory, 'config', '--local', '--list'))
      .replace('formatversion=1', 'formatversion=0')
      .split('\n')
      .sort()
      .join('\n'),
    refs: await git(directory, 'for-each-ref'),
    head: await git(directory, 'rev-parse', 'HEAD'),
    branch: await git(directory, 'rev-parse', '--abbrev-ref', 'HEAD'),
    describe: await git(directory, 'describe', '--tags', '--always'),
    status: await git(directory, 'status', '--porcelain', '--ignored'),
    history: await git(directory, 'log', '--all', '--format=%H %P %D'),
    hooks: (await readdir(join(directory, '.git', 'hooks'))).join(' ')
  }
}

/** A run that keeps its objects, and what a run afterwards would see without them. */
async function keep(ref = 'v28.5.2', history: 'blobless' | 'full' = 'blobless'): Promise<void> {
  const {save} = await kept.checkOut(ref, {serverUrl, history})
  expect(await save()).toMatchObject({saved: {}, exact: false})
}

async function seenAfresh(ref: string, history: 'blobless' | 'full' = 'blobless'): Promise<Record<string, string>> {
  const directory = join(root, `afresh ${ref}`)
  await acquireSource(sourceRequest(directory, ref, {serverUrl, history}), recordingPorts())
  return await seen(directory)
}

describe('acquireSource with objects that were kept', () => {
  it.each(['blobless', 'full'] as const)('fetches nothing again, and gets the same %s checkout', async history => {
    const first = await kept.checkOut('v28.5.2', {serverUrl, history})
    expect(first.objects.account).toEqual({
      kind: 'git',
      of: 'moby/moby',
      exact: false,
      note: expect.stringMatching(/^received \d/) as unknown
    })
    const {saved} = await first.save()
    expect(saved?.key).toMatch(/^build-moby-git-1-moby_moby-[0-9a-f]{16}-(blobless|full)-[0-9a-f]{16}-[0-9a-f]{16}$/)

    const asked = server.requests().length
    const second = await kept.checkOut('v28.5.2', {serverUrl, history})
    const posts = server
      .requests()
      .slice(asked)
      .filter(({method}) => method === 'POST')
    expect(posts).toHaveLength(2)
    expect(second.source).toEqual({...first.source, directory: second.directory})
    expect(second.objects).toMatchObject({
      receivedBytes: 0,
      account: {restored: saved, exact: true, note: 'received 0 B, 100 % was there'}
    })
    expect(await seen(second.directory)).toEqual(await seen(first.directory))
    expect(await readFile(join(second.directory, 'v28.5.2.txt'), 'utf8')).toBe('v28.5.2')
    await git(second.directory, 'fsck', '--connectivity-only')
    expect(await second.save()).toEqual(second.objects.account)
    expect(await kept.entries()).toHaveLength(1)
  })

  it('gets what is new, and nothing of what is gone', async () => {
    await git(engine.path, 'branch', 'topic', 'v28.5.2')
    await keep('28.x')
    const moved = engine.commits['docker-v29.0.0']
    await git(engine.path, 'tag', '--force', 'v28.5.2', moved)
    await git(engine.path, 'tag', '--delete', 'v28.5.2-rc.1', 'api/v1.52.0')
    await git(engine.path, 'branch', '--delete', '--force', 'topic')
    await git(engine.path, 'branch', 'topic/nested', moved)
    await git(engine.path, 'branch', '--force', '28.x', engine.commits.root)
    const work = join(root, 'moby', 'work')
    await git(work, 'commit', '--quiet', '--allow-empty', '--message', 'new')
    await git(work, 'push', '--quiet', engine.path, 'HEAD:refs/heads/master')

    for (const ref of ['v28.5.2', '28.x', 'master', engine.commits.pull]) {
      const run = await kept.checkOut(ref, {serverUrl})
      expect(run.objects.account).toMatchObject({restored: {}, exact: false})
      expect(await seen(run.directory)).toEqual(await seenAfresh(ref))
    }
    expect((await kept.checkOut('v28.5.2', {serverUrl})).source.commit).toBe(moved)
  })

  it('keeps the credentials for itself', async () => {
    await server.stop()
    const credentials = {username: 'some one', password: 'p@ss/word'}
    const guarded = await startGitServer({addresses: ['127.0.0.1'], root, log: () => undefined, credentials})
    const repository = `http://some%20one:p%40ss%2Fword@127.0.0.1:${guarded.port}/moby/moby`
    try {
      const {save} = await kept.checkOut('v28.5.2', {serverUrl, repository})
      await save()
      expect((await kept.checkOut('v28.5.2', {serverUrl, repository})).objects.account).toMatchObject({restored: {}})
    } finally {
      await guarded.stop()
    }
    await kept.tamper(async entry => {
      const [description, ...packs] = await readdir(entry)
      expect(packs.join(' ')).toMatch(/^(pack-[0-9a-f]{40}\.pack ?)+$/)
      const text = await readFile(join(entry, description ?? ''), 'utf8')
      expect(Object.keys(JSON.parse(text) as object).sort()).toEqual([
        'files',
        'filter',
        'history',
        'refs',
        'repository'
      ])
      expect(text).not.toMatch(/some|p@ss|p%40|Basic/)
    })
  })

  it('lets an entry do nothing but give objects', async () => {
    await keep()
    const {commits} = engine
    await kept.tamper(async entry => {
      await mkdir(join(entry, 'hooks'))
      await writeFile(join(entry, 'hooks', 'post-checkout'), '#!/bin/sh\ntouch "$GIT_DIR/ran"\n', {mode: 0o755})
      await writeFile(join(entry, 'config'), '[core]\n\tfsmonitor = touch ran\n')
      const file = join(entry, 'objects.json')
      const content = JSON.parse(await readFile(file, 'utf8')) as {refs: Record<string, string>}
      content.refs[`refs/replace/${commits['v28.5.2']}`] = commits.root
      content.refs['refs/heads/evil'] = commits.root
      content.refs['refs/tags/../../evil'] = commits.root
      await writeFile(file, JSON.stringify(content))
    })
    const run = await kept.checkOut('v28.5.2', {serverUrl})
    expect(run.objects.account).toMatchObject({restored: {}})
    expect(await seen(run.directory)).toEqual(await seenAfresh('v28.5.2'))
    expect(await readdir(join(run.directory, '.git'))).not.toEqual(expect.arrayContaining(['ran', 'restored']))
  })

  const packIn = async (entry: string) =>
    join(entry, (await readdir(entry)).find(name => name.endsWith('.pack')) ?? 'no pack')
  const describedAs = async (entry: string, change: (content: Record<string, unknown>) => void) => {
    const file = join(entry, 'objects.json')
    const content = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    change(content)
    await writeFile(file, JSON.stringify(content))
  }
  it.each<[string, (entry: string) => Promise<void>]>([
    [
      'a flipped bit',
      async entry => {
        const path = await packIn(entry)
        const bytes = await readFile(path)
        bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
        await writeFile(path, bytes)
      }
    ],
    [
      'half a pack',
      async entry => {
        await truncate(await packIn(entry), 200)
      }
    ],
    [
      'a missing pack',
      async entry => {
        await rm(await packIn(entry))
      }
    ],
    [
      'a pack that is a link',
      async entry => {
        const path = await packIn(entry)
        await rename(path, join(root, 'elsewhere'))
        await symlink(join(root, 'elsewhere'), path)
      }
    ],
    [
      'no description',
      async entry => {
        await rm(join(entry, 'objects.json'))
      }
    ],
    [
      'garbage for a description',
      async entry => {
        await writeFile(join(entry, 'objects.json'), '{"packs": 1')
      }
    ],
    [
      'objects of another repository',
      async entry => {
        await describedAs(entry, content => {
          content.repository = 'example.com/docker/cli'
        })
      }
    ],
    [
      'files alone',
      async entry => {
        await describedAs(entry, content => {
          content.history = content.files
          content.files = []
        })
      }
    ]
  ])('starts afresh, and says so, after an entry with %s', async (_, change) => {
    await keep()
    await kept.tamper(change)
    const run = await kept.checkOut('v28.5.2', {serverUrl})
    expect(run.output.match(/Warning: .*/g)).toEqual([
      expect.stringMatching(/^Warning: The git objects in cache entry build-moby-git-\S+ are not used: /)
    ])
    expect(run.objects.account).not.toHaveProperty('restored')
    expect(await seen(run.directory)).toEqual(await seenAfresh('v28.5.2'))
    await git(run.directory, 'fsck')
  })

  it('starts afresh when what was kept turns out to be incomplete', async () => {
    await keep()
    const {objects} = await kept.checkOut('28.x', {serverUrl, history: 'full'})
    await kept.tamper(async entry => {
      await describedAs(entry, content => {
        delete content.filter
      })
    }, objects.keys.key)
    const run = await kept.checkOut('28.x', {serverUrl, history: 'full'})
    expect(run.output.match(/Warning: .*/g)).toEqual([
      expect.stringMatching(/^Warning: Once more, without the git obj/)
    ])
    expect(run.objects.account).not.toHaveProperty('restored')
    expect(await seen(run.directory)).toEqual(await seenAfresh('28.x', 'full'))
    await git(run.directory, 'fsck')
  })

  it('has no use for a history that is not full when it is to be', async () => {
    await keep()
    const {objects} = await kept.checkOut('v28.5.2', {serverUrl, history: 'full'})
    await kept.tamper(() => Promise.resolve(), objects.keys.key)
    const run = await kept.checkOut('v28.5.2', {serverUrl, history: 'full'})
    expect(run.output).toContain('are not used: its history is not full')
    expect(run.source.history).toBe('full')
  })

  it.each([
    ['that cannot filter', 'uploadpack.allowFilter', 'full', undefined],
    ['that leaves out file contents only', 'uploadpackfilter.tree.allow', 'blobless', 'blob:none']
  ] as const)('works with a server %s', async (_, setting, history, filter) => {
    await server.stop()
    const filters = setting !== 'uploadpack.allowFilter'
    await git(engine.path, 'config', setting, 'false')
    server = await startGitServer({addresses: ['127.0.0.1'], root, log: () => undefined, filter: filters})
    serverUrl = `http://127.0.0.1:${server.port}`
    await keep()
    const run = await kept.checkOut('28.x', {serverUrl})
    expect(run.source).toMatchObject({history, commit: engine.commits['28.x']})
    expect(run.objects.account).toMatchObject({restored: {}})
    const configured = git(run.directory, 'config', '--get', 'remote.origin.partialclonefilter')
    expect(await configured.catch(() => undefined)).toBe(filter)
    expect(run.output).not.toContain('Warning')
    expect(await seen(run.directory)).toEqual(await seenAfresh('28.x'))
  })

  it('leaves a checkout alone that somebody made', async () => {
    await keep()
    const directory = join(root, 'theirs')
    await git(root, 'clone', '--quiet', `${serverUrl}/moby/moby.git`, directory)
    const acquired = await acquireSource(sourceRequest(directory, 'v28.5.2', {serverUrl}), kept.ports())
    expect(acquired).not.toHaveProperty('objects')
  })

  it('leaves nothing behind when it is cancelled', async () => {
    await keep()
    const cancel = new AbortController()
    const commands = systemCommands(cancel.signal)
    const cancelling = {
      ...kept.ports(),
      commands: {
        ...commands,
        stream: async (...[argv, options]: Parameters<typeof commands.stream>) => {
          if (argv.includes('index-pack')) cancel.abort()
          return await commands.stream(argv, options)
        }
      }
    }
    const before = await readdir(root)
    const request = sourceRequest(join(root, 'cancelled'), 'v28.5.2', {serverUrl})
    await expect(acquireSource(request, cancelling)).rejects.toThrow()
    expect(await readdir(root)).toEqual(before)
  })
})
