import {mkdir, mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from '@jest/globals'
import {startGitServer} from '../../sandbox/git-server.js'
import type {HttpServer} from '../../sandbox/http-server.js'
import type {Commands} from '../../src/ports.js'
import {isClean} from '../../src/source/acquire-source.js'
import type {Source, SourceRequest} from '../../src/source/source.js'
import {type EngineRepository, git, makeEngineRepository} from '../support/engine-repository.js'
import {checkedOut, recordingPorts, sourceRequest} from '../support/source-request.js'

const credentials = {username: 'x-access-token', password: 'secret-token'}
const header = `Authorization: Basic ${Buffer.from('x-access-token:secret-token').toString('base64')}`
let shared: string
let engine: EngineRepository
let server: HttpServer
let serverUrl: string
let root: string
let directory: string

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'source-'))
  engine = await makeEngineRepository(shared)
  server = await startGitServer({addresses: ['127.0.0.1'], root: shared, log: () => undefined, credentials})
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

/** What actions/checkout leaves: one commit, one ref, and the token in a header of the checkout's own configuration. */
async function shallowCheckout(): Promise<string> {
  await mkdir(directory)
  await git(directory, 'init', '--quiet')
  await git(directory, 'remote', 'add', 'origin', `${serverUrl}/moby/moby`)
  await git(directory, 'config', '--local', `http.${serverUrl}/.extraheader`, header)
  await git(
    directory,
    'fetch',
    '--quiet',
    '--no-tags',
    '--depth=1',
    'origin',
    `+${engine.commits['28.x']}:refs/remotes/x`
  )
  await git(directory, 'checkout', '--quiet', '--detach', 'refs/remotes/x')
  return await readFile(join(directory, '.git', 'config'), 'utf8')
}

async function acquire(ref: string, parts: Partial<SourceRequest> = {}): Promise<Source> {
  const request = sourceRequest(directory, ref, {serverUrl, token: credentials.password, ...parts})
  return await checkedOut(request, recordingPorts())
}

describe('acquireSource in an existing checkout', () => {
  it.each(['blobless', 'full'] as const)('completes a shallow checkout to a %s history', async history => {
    const configuration = await shallowCheckout()
    await writeFile(join(directory, 'untracked'), 'mine')
    expect(await acquire('28.x', {history})).toMatchObject({commit: engine.commits['28.x'], history})
    expect(await git(directory, 'rev-parse', '--is-shallow-repository')).toBe('false')
    expect(await git(directory, 'describe')).toMatch(/^v28\.5\.2-1-g/)
    expect(await git(directory, 'tag')).toBe(await git(engine.path, 'tag'))
    expect(await readFile(join(directory, 'untracked'), 'utf8')).toBe('mine')
    const now = await readFile(join(directory, '.git', 'config'), 'utf8')
    expect(now.replace(/^.*(promisor|partial|version).*\n/gim, '')).toBe(configuration.replace(/^.*version.*\n/m, ''))
    expect(now.split('\n').filter(line => line.includes('extraheader'))).toHaveLength(1)
  })

  it('leaves the history of a full clone full, and its branches alone', async () => {
    await git(root, 'clone', '--quiet', engine.path, directory)
    await git(directory, 'remote', 'set-url', 'origin', `${serverUrl}/moby/moby.git`)
    await git(directory, 'commit', '--quiet', '--allow-empty', '-m', 'local work')
    const local = await git(directory, 'rev-parse', 'master')
    expect(await acquire('v28.5.2')).toMatchObject({history: 'full', version: '28.5.2'})
    expect(await git(directory, 'rev-parse', 'master')).toBe(local)
  })

  it('goes from one ref to another in the checkout it made', async () => {
    await acquire('v28.5.2')
    expect(await acquire('master', {history: 'full'})).toMatchObject({
      history: 'blobless',
      commit: engine.commits.master
    })
    expect(await readFile(join(directory, 'master.txt'), 'utf8')).toBe('master')
  })

  it('follows a tag that was moved, unless it is pinned', async () => {
    await acquire('v28.5.2')
    await git(directory, 'tag', '-f', 'v28.5.2', engine.commits.root)
    expect(await acquire('v28.5.2')).toMatchObject({commit: engine.commits['v28.5.2']})
    expect(await git(directory, 'rev-parse', 'v28.5.2^{commit}')).toBe(engine.commits['v28.5.2'])
  })

  it('takes a checkout that knows the repository by another URL, and fetches by the one that was asked for', async () => {
    await shallowCheckout()
    await git(directory, 'remote', 'set-url', 'origin', `ssh://git@127.0.0.1:${server.port}/moby/moby`)
    expect(await acquire('master')).toMatchObject({commit: engine.commits.master})
    expect(await git(directory, 'remote', 'get-url', 'origin')).toMatch(/^ssh:/)
  })

  it('completes a sparse checkout', async () => {
    await shallowCheckout()
    await git(directory, 'sparse-checkout', 'set', '--no-cone', '/root.txt')
    expect(await readdir(directory)).not.toContain('28.x.txt')
    await acquire('28.x')
    expect(await readdir(directory)).toContain('28.x.txt')
  })

  it('refuses uncommitted changes', async () => {
    await shallowCheckout()
    await writeFile(join(directory, 'file'), 'changed')
    await expect(acquire('28.x')).rejects.toThrow(/Input 'path': .* has uncommitted changes: file\. /)
    expect(await readFile(join(directory, 'file'), 'utf8')).toBe('changed')
  })

  it('refuses a checkout of another repository', async () => {
    await shallowCheckout()
    await git(directory, 'remote', 'set-url', 'origin', 'https://someone:secret@example.com/docker/cli')
    const message = /Input 'path': .* is a checkout of https:\/\/example\.com\/docker\/cli, not of http/
    await expect(acquire('28.x')).rejects.toThrow(message)
  })

  it('refuses an unpacked source archive, a broken repository and a file', async () => {
    await mkdir(directory)
    await writeFile(join(directory, 'Dockerfile'), '')
    await expect(acquire('28.x')).rejects.toThrow(/Input 'path': .* no history/)
    await mkdir(join(directory, '.git'))
    await expect(acquire('28.x')).rejects.toThrow(/Input 'path': .* git does not accept/)
    await rm(directory, {recursive: true})
    await writeFile(directory, '')
    await expect(acquire('28.x')).rejects.toThrow(/Input 'path': .* is no directory/)
  })

  it('puts everything back when the connection breaks between the history and the files', async () => {
    const options = {addresses: ['127.0.0.1'], root: shared, log: () => undefined}
    const weak = await startGitServer(options)
    const request = sourceRequest(directory, 'docker-v29.0.0', {serverUrl: `http://127.0.0.1:${weak.port}`})
    await checkedOut(request, recordingPorts())
    const {commands, ...ports} = recordingPorts()
    const cut: Commands = {
      ...commands,
      stream: async (argv, streaming) => {
        if (argv.includes('checkout')) await weak.stop()
        return await commands.stream(argv, streaming)
      }
    }
    const failing = checkedOut({...request, ref: 'v28.5.2', retries: 1}, {...ports, commands: cut})
    await expect(failing).rejects.toThrow('could not check out the files of')
    expect(await git(directory, 'status', '--porcelain')).toBe('')
    expect(await git(directory, 'rev-parse', 'HEAD')).toBe(engine.commits['docker-v29.0.0'])
  })

  it('keeps a checkout that was there when it fails', async () => {
    await shallowCheckout()
    await writeFile(join(directory, 'master.txt'), 'in the way')
    await expect(acquire('master')).rejects.toThrow(/master\.txt/)
    expect(await readFile(join(directory, 'master.txt'), 'utf8')).toBe('in the way')
    expect(await git(directory, 'rev-parse', 'HEAD')).toBe(engine.commits['28.x'])
  })
})

describe('isClean', () => {
  it('tells whether a tracked file was changed', async () => {
    await acquire('v28.5.2')
    const clean = async () => await isClean(directory, {PATH: process.env.PATH}, recordingPorts())
    await writeFile(join(directory, 'bundles'), 'untracked')
    expect(await clean()).toBe(true)
    await writeFile(join(directory, 'file'), 'changed')
    expect(await clean()).toBe(false)
  })
})
