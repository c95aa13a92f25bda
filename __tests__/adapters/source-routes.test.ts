import {createHash} from 'node:crypto'
import {readFile, readdir, mkdtemp, rm, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from '@jest/globals'
import {startGitServer} from '../../sandbox/git-server.js'
import {type HttpServer, startHttpServer} from '../../sandbox/http-server.js'
import {systemCommands} from '../../src/adapters/commands.js'
import {type EngineRepository, git, makeEngineRepository} from '../support/engine-repository.js'
import {checkedOut, recordingPorts, sourceRequest} from '../support/source-request.js'

const upstream = 'https://github.example/'
const user = {username: 'some one', password: 'p@ss/word'}
const userinfo = 'some%20one:p%40ss%2Fword'
let shared: string
let engine: EngineRepository
let mirror: HttpServer
let guarded: HttpServer
let root: string
let directory: string

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'source-'))
  engine = await makeEngineRepository(shared)
  const options = {addresses: ['127.0.0.1'], root: shared, log: () => undefined}
  mirror = await startGitServer(options)
  guarded = await startGitServer({...options, credentials: user})
})

afterAll(async () => {
  await mirror.stop()
  await guarded.stop()
  await rm(shared, {recursive: true, force: true})
})

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'source-'))
  directory = join(root, 'moby')
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

/** A server that refuses or breaks `count` requests and then passes the rest on to the real one. */
async function flakyServer(count: number, target: HttpServer): Promise<HttpServer> {
  let left = count
  return await startHttpServer({
    addresses: ['127.0.0.1'],
    log: () => undefined,
    handle: async (request, response) => {
      if (left-- > 0) {
        request.socket.destroy()
        return
      }
      const body: Buffer[] = []
      for await (const chunk of request) body.push(chunk as Buffer)
      const headers = Object.fromEntries(
        Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
      )
      const {method = 'GET', url = '/'} = request
      const answer = await fetch(`http://127.0.0.1:${target.port}${url}`, {
        method,
        headers: Object.fromEntries(
          Object.entries(headers).filter(([name]) => /^(git|content-(t|e)|accept$)/.test(name))
        ),
        ...(method === 'POST' ? {body: Buffer.concat(body)} : {})
      })
      response.writeHead(answer.status, {'content-type': answer.headers.get('content-type') ?? ''})
      response.end(Buffer.from(await answer.arrayBuffer()))
    }
  })
}

/** Everything that git wrote, as one text. */
async function everythingIn(path: string): Promise<string> {
  const parts: string[] = []
  for (const name of await readdir(path, {recursive: true})) {
    if ((await stat(join(path, name))).isFile()) parts.push(await readFile(join(path, name), 'latin1'))
  }
  return parts.join('\n')
}

describe('acquireSource on a restricted network', () => {
  it('goes by the first mirror that answers, and gives it no token', async () => {
    const seen: string[] = []
    const watching = await startHttpServer({
      addresses: ['127.0.0.1'],
      log: () => undefined,
      handle: (request, response) => {
        seen.push(JSON.stringify(request.headers))
        response.writeHead(404).end()
      }
    })
    const dead = `http://127.0.0.1:${watching.port}/dead/`
    const ports = recordingPorts()
    const request = sourceRequest(directory, 'master', {
      serverUrl: 'https://github.example',
      token: 'secret-token',
      mirrors: [
        {from: 'https://', to: 'http://127.0.0.1:1/too/short/'},
        {from: upstream, to: dead},
        {from: upstream, to: `http://127.0.0.1:${mirror.port}/`}
      ]
    })
    try {
      expect(await checkedOut(request, ports)).toMatchObject({
        commit: engine.commits.master,
        url: `${upstream}moby/moby.git`
      })
    } finally {
      await watching.stop()
    }
    expect(await git(directory, 'config', '--local', 'remote.origin.url')).toBe(`${upstream}moby/moby.git`)
    expect(ports.output()).toContain(`Warning: No answer from ${upstream}moby/moby.git by mirror ${dead}`)
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.join('\n')).not.toMatch(/authorization/i)
  })

  it('takes no web server for a mirror that answers everything with a page', async () => {
    const portal = await startHttpServer({
      addresses: ['127.0.0.1'],
      log: () => undefined,
      handle: (_, response) => {
        response.writeHead(200, {'content-type': 'text/html'}).end('<html>Log in</html>')
      }
    })
    const serverUrl = 'https://github.example'
    const page = {from: upstream, to: `http://127.0.0.1:${portal.port}/`}
    const ports = recordingPorts()
    try {
      const good = {from: upstream, to: `http://127.0.0.1:${mirror.port}/`}
      const request = sourceRequest(directory, 'master', {serverUrl, mirrors: [page, good]})
      expect(await checkedOut(request, ports)).toMatchObject({commit: engine.commits.master})
      expect(ports.output()).toContain('is there a git server, and not another web server?')
      const alone = checkedOut(
        sourceRequest(directory, 'master', {serverUrl, mirrors: [page], retries: 0}),
        recordingPorts()
      )
      await expect(alone).rejects.toThrow(/'git-mirrors'.*names no branch and no tag/s)
    } finally {
      await portal.stop()
    }
  })

  it.each([
    ['user and password in the URL', `http://${userinfo}@HOST/moby/moby`, undefined],
    ['user and password in the URL, before the token', `http://${userinfo}@HOST/moby/moby`, 'wrong']
  ])('uses %s and writes them nowhere', async (_, repository, token) => {
    const serverUrl = `http://127.0.0.1:${guarded.port}`
    const ports = recordingPorts()
    const request = sourceRequest(directory, 'v28.5.2', {
      serverUrl,
      repository: repository.replace('HOST', `127.0.0.1:${guarded.port}`),
      ...(token === undefined ? {} : {token})
    })
    const source = await checkedOut(request, ports)
    expect(source).toMatchObject({url: `${serverUrl}/moby/moby`, repository: `${serverUrl}/moby/moby`})
    const encoded = Buffer.from(`${user.username}:${user.password}`).toString('base64')
    for (const text of [await everythingIn(join(directory, '.git')), ports.output(), JSON.stringify(source)]) {
      for (const secret of [user.password, encoded, 'p%40ss']) expect(text.includes(secret)).toBe(false)
    }
  })

  it('tries again after a broken connection, with growing pauses', async () => {
    const flaky = await flakyServer(2, mirror)
    const ports = recordingPorts()
    const serverUrl = `http://127.0.0.1:${flaky.port}`
    try {
      const source = await checkedOut(sourceRequest(directory, 'v28.5.2', {serverUrl, retries: 2}), ports)
      expect(source.version).toBe('28.5.2')
    } finally {
      await flaky.stop()
    }
    expect(ports.pauses).toEqual([2000, 4000])
    expect(ports.output()).toContain('Trying again in 2 s.')
  })

  it('does not wait for a server that never answers when it is cancelled', async () => {
    const cancel = new AbortController()
    const silent = await startHttpServer({
      addresses: ['127.0.0.1'],
      log: () => undefined,
      handle: () => {
        cancel.abort()
      }
    })
    const request = sourceRequest(directory, 'master', {serverUrl: `http://127.0.0.1:${silent.port}`, retries: 5})
    try {
      const acquiring = checkedOut(request, recordingPorts(systemCommands(cancel.signal)))
      await expect(acquiring).rejects.toThrow('cancelled')
    } finally {
      await silent.stop()
    }
  })

  it('does not try again what the server refuses, and says what may help', async () => {
    const ports = recordingPorts()
    const serverUrl = `http://127.0.0.1:${guarded.port}`
    const request = sourceRequest(directory, 'v28.5.2', {serverUrl, token: 'wrong', retries: 5})
    const error = await checkedOut(request, ports).catch((thrown: unknown) => String(thrown))
    expect(error).toContain(
      `could not list the refs of ${serverUrl}/moby/moby.git (git exited with 128 after one attempt)`
    )
    expect(error).toContain("check 'token'")
    expect(error).not.toContain('wrong')
    expect(ports.pauses).toEqual([])
  })

  it.each([
    [{}, 'http', "direct, without mirror ('git-mirrors') or proxy ('http-proxy')"],
    [
      {proxies: {https: 'http://someone:secret@127.0.0.1:1'}},
      'https',
      "proxy http://127.0.0.1:1 ('https-proxy', 'no-proxy')"
    ],
    [
      {mirrors: [{from: 'https://github.invalid/', to: 'http://127.0.0.1:1/gh/'}]},
      'https',
      "mirror http://127.0.0.1:1/gh/ for https://github.invalid/ ('git-mirrors'), without proxy ('http-proxy')"
    ]
  ])('names the route in effect when nothing answers (%#)', async (parts, scheme, route) => {
    const ports = recordingPorts()
    const serverUrl = `${scheme}://github.invalid`
    const request = sourceRequest(directory, 'v28.5.2', {serverUrl, retries: 1, ...parts})
    const error = await checkedOut(request, ports).catch((thrown: unknown) => String(thrown))
    expect(error).toContain(`route: ${route}`)
    expect(error).toContain('after 2 attempts')
    expect(error).toContain('git said:\n    fatal: unable to access')
    expect(error).not.toContain('secret')
    expect(ports.output()).not.toContain('secret')
    expect(await readdir(root)).toEqual([])
  })

  it('gives the same tree by whatever route', async () => {
    const trees = new Set<string>()
    for (const [name, target] of [
      ['one', `http://127.0.0.1:${mirror.port}`],
      ['two', engine.path]
    ] as const) {
      const repository = name === 'one' ? `${target}/moby/moby` : target
      const place = join(root, name)
      await checkedOut(sourceRequest(place, 'master', {serverUrl: upstream, repository}), recordingPorts())
      trees.add(
        createHash('sha256')
          .update(await git(place, 'ls-files', '--stage'))
          .digest('hex')
      )
    }
    expect(trees.size).toBe(1)
  })
})
