import {mkdir, mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from '@jest/globals'
import {startGitServer} from '../../sandbox/git-server.js'
import type {HttpServer} from '../../sandbox/http-server.js'
import {systemCommands} from '../../src/adapters/commands.js'
import {clientRef} from '../../src/source/client-ref.js'
import {listRemote} from '../../src/source/list-remote.js'
import {type EngineRepository, git, makeEngineRepository} from '../support/engine-repository.js'
import {checkedOut, recordingPorts, sourceRequest} from '../support/source-request.js'

let shared: string
let engine: EngineRepository
let server: HttpServer
let serverUrl: string
let root: string
let directory: string

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'source-'))
  engine = await makeEngineRepository(shared)
  server = await startGitServer({addresses: ['127.0.0.1'], root: shared, log: () => undefined})
  serverUrl = `http://127.0.0.1:${server.port}`
})

afterAll(async () => {
  await server.stop()
  await rm(shared, {recursive: true, force: true})
})

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'source-'))
  directory = join(root, 'moby')
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

async function missingObjects(): Promise<number> {
  const listed = await git(directory, 'rev-list', '--objects', '--all', '--missing=print')
  return listed.split('\n').filter(line => line.startsWith('?')).length
}

describe('acquireSource', () => {
  it('checks out a tag with every commit and tag, and no old file contents', async () => {
    const ports = recordingPorts()
    const source = await checkedOut(sourceRequest(directory, 'v28.5.2', {serverUrl}), ports)
    const commit = engine.commits['v28.5.2']
    expect(source).toEqual({
      repository: 'moby/moby',
      url: `${serverUrl}/moby/moby.git`,
      directory,
      ref: {kind: 'tag', name: 'v28.5.2', fullName: 'refs/tags/v28.5.2'},
      commit,
      shortCommit: commit.slice(0, 7),
      commitTime: 1700000000,
      describe: 'v28.5.2',
      nearestTag: 'v28.5.2',
      version: '28.5.2',
      history: 'blobless'
    })
    expect(await git(directory, 'rev-parse', 'HEAD')).toBe(commit)
    expect(await readFile(join(directory, 'v28.5.2.txt'), 'utf8')).toBe('v28.5.2')
    expect(await git(directory, 'cat-file', '-t', 'v28.5.2')).toBe('tag')
    expect(await git(directory, 'tag')).toBe(await git(engine.path, 'tag'))
    expect(await git(directory, 'rev-list', '--count', '--all')).toBe('6')
    expect(await missingObjects()).toBeGreaterThan(0)
    expect(ports.output()).toMatch(/git fetch: \d+\.\d s, received [\d.]+ (bytes|KiB)/)
  })

  it.each([
    ['master', 'branch', 'master', '29.0.0-2-g', 'docker-v29.0.0'],
    ['HEAD', 'branch', 'master', '29.0.0-2-g', 'docker-v29.0.0'],
    ['refs/heads/28.x', 'branch', '28.x', '28.5.2-1-g', 'v28.5.2'],
    ['refs/pull/42/head', 'pull', 'pull', '29.0.0-2-g', 'docker-v29.0.0'],
    ['pull/42/head', 'pull', 'pull', '29.0.0-2-g', 'docker-v29.0.0'],
    ['refs/tags/docker-v29.0.0', 'tag', 'docker-v29.0.0', '29.0.0', 'docker-v29.0.0']
  ] as const)('understands the ref %s', async (ref, kind, name, version, nearestTag) => {
    const source = await checkedOut(sourceRequest(directory, ref, {serverUrl}), recordingPorts())
    const commit = engine.commits[name]
    expect(source).toMatchObject({commit, nearestTag, ref: {kind}})
    expect(source.version).toBe(version.endsWith('-g') ? version + commit.slice(0, 7) : version)
    expect(await git(directory, 'rev-parse', 'HEAD')).toBe(commit)
  })

  it.each([
    ['a released commit', 'v28.5.2', 40, /^28\.5\.2$/],
    ['an abbreviated commit', 'v28.5.2', 7, /^28\.5\.2$/],
    ['a commit before any release', 'root', 40, /^0\.0\.0-20231114221320-[0-9a-f]{7}$/],
    ['a commit that no ref contains', 'hidden', 40, /^29\.0\.0-3-g[0-9a-f]{7}$/]
  ] as const)('understands %s', async (_, name, digits, version) => {
    const commit = engine.commits[name]
    const request = sourceRequest(directory, commit.slice(0, digits), {serverUrl})
    const source = await checkedOut(request, recordingPorts())
    expect(source).toMatchObject({commit, ref: {kind: 'commit', name: commit}})
    expect(source.version).toMatch(version)
  })

  it('stamps the version that was asked for', async () => {
    const request = sourceRequest(directory, '28.x', {serverUrl, version: '28.5.3-acme'})
    expect(await checkedOut(request, recordingPorts())).toMatchObject({
      version: '28.5.3-acme',
      nearestTag: 'v28.5.2'
    })
  })

  it.each([
    ['a path', () => engine.path],
    ['a file URL', () => `file://${engine.path}`]
  ])('takes a repository from %s', async (_, repository) => {
    const request = sourceRequest(directory, 'v28.5.2', {serverUrl, repository: repository(), history: 'full'})
    expect(await checkedOut(request, recordingPorts())).toMatchObject({url: engine.path, history: 'full'})
    expect(await missingObjects()).toBe(0)
  })

  it('falls back to the full history where the server cannot filter', async () => {
    const plain = await startGitServer({addresses: ['127.0.0.1'], root: shared, log: () => undefined, filter: false})
    try {
      const request = sourceRequest(directory, 'v28.5.2', {serverUrl: `http://127.0.0.1:${plain.port}`})
      expect(await checkedOut(request, recordingPorts())).toMatchObject({history: 'full'})
    } finally {
      await plain.stop()
    }
    expect(await git(directory, 'config', '--local', '--list')).not.toMatch(/promisor|partialclone/i)
    expect(await missingObjects()).toBe(0)
    await git(directory, 'fsck', '--connectivity-only')
  })

  it.each([
    ['28.5.2', 'did you mean v28.5.2?'],
    ['v29.0.0', 'did you mean docker-v29.0.0?'],
    ['mastre', 'did you mean master'],
    ['refs/pull/43/head', "no tag, branch or other ref named 'refs/pull/43/head'"]
  ])('does not know the ref %s', async (ref, message) => {
    await expect(checkedOut(sourceRequest(directory, ref, {serverUrl}), recordingPorts())).rejects.toThrow(message)
    expect(await readdir(root)).toEqual([])
  })

  it('refuses a moved tag before anything is fetched', async () => {
    const before = server.requests().length
    const request = sourceRequest(directory, 'v28.5.2', {serverUrl, commit: engine.commits.root})
    const message = `Input 'commit': moved tag: v28.5.2 resolves to ${engine.commits['v28.5.2']}, not to ${engine.commits.root}`
    await expect(checkedOut(request, recordingPorts())).rejects.toThrow(message)
    const paths = server.requests().slice(before)
    expect(paths.filter(({method}) => method === 'POST')).toHaveLength(1)
  })

  it('accepts a tag that is where it was, and checks an abbreviated commit, too', async () => {
    const {'v28.5.2': commit, root: other} = engine.commits
    const pinned = sourceRequest(directory, 'v28.5.2', {serverUrl, commit: commit.slice(0, 10).toUpperCase()})
    expect(await checkedOut(pinned, recordingPorts())).toMatchObject({commit})
    const moved = sourceRequest(directory, commit.slice(0, 8), {serverUrl, commit: other})
    await expect(checkedOut(moved, recordingPorts())).rejects.toThrow("Input 'commit'")
  })

  it('says which commits a server does not give', async () => {
    const nowhere = 'f'.repeat(40)
    const full = sourceRequest(directory, nowhere, {serverUrl})
    await expect(checkedOut(full, recordingPorts())).rejects.toThrow(`contains commit ${nowhere}`)
    const short = sourceRequest(directory, 'fffffff', {serverUrl})
    await expect(checkedOut(short, recordingPorts())).rejects.toThrow('begins with fffffff')
    expect(await readdir(root)).toEqual([])
  })

  it('leaves a directory that was empty empty when it fails', async () => {
    await mkdir(directory)
    const request = sourceRequest(directory, 'f'.repeat(40), {serverUrl})
    await expect(checkedOut(request, recordingPorts())).rejects.toThrow("Input 'ref'")
    expect(await readdir(directory)).toEqual([])
  })

  it('leaves nothing behind when it is cancelled', async () => {
    const cancel = new AbortController()
    const commands = systemCommands(cancel.signal)
    const ports = recordingPorts({
      ...commands,
      stream: async (argv, options) => {
        if (argv.includes('checkout')) cancel.abort()
        return await commands.stream(argv, options)
      }
    })
    await expect(checkedOut(sourceRequest(directory, 'master', {serverUrl}), ports)).rejects.toThrow()
    expect(await readdir(root)).toEqual([])
  })

  it('refuses a local path that has files and no history', async () => {
    await writeFile(join(root, 'Dockerfile'), '')
    const request = sourceRequest(directory, 'v28.5.2', {serverUrl, repository: root})
    await expect(checkedOut(request, recordingPorts())).rejects.toThrow(/Input 'repository': .* no history/)
  })
})

describe('listRemote', () => {
  it('lists refs to choose the client by, and saves acquireSource from asking again', async () => {
    const request = {...sourceRequest(directory, '', {serverUrl}), inputNames: {repository: 'r', ref: 'client'}}
    const listing = await listRemote(request, recordingPorts())
    const ref = {kind: 'tag', name: 'docker-v29.0.0', fullName: 'refs/tags/docker-v29.0.0'} as const
    const choice = clientRef({ref, nearestTag: 'v28.5.2'}, listing.refs)
    const before = server.requests().length
    const source = await checkedOut({...request, ref: choice.ref}, recordingPorts(), listing)
    expect(source.version).toBe('28.5.2')
    const listings = server.requests().slice(before)
    expect(listings.filter(({path}) => path.includes('info/refs'))).toHaveLength(2)
  })
})
