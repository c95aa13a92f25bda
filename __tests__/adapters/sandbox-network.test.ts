import {createHash} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {type IncomingMessage, request as httpRequest} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {unzipSync} from 'fflate'
import {startAptMirror} from '../../sandbox/apt-mirror.js'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {startForwardProxy} from '../../sandbox/forward-proxy.js'
import {startGitServer} from '../../sandbox/git-server.js'
import {startHttpServer} from '../../sandbox/http-server.js'
import {type Network, startNetwork} from '../../sandbox/network.js'
import {machineSuite} from '../../sandbox/unpacked-packages.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {git, makeRepository, missingObjects, unreachableCommit} from '../support/bare-repository.js'

const addresses = ['127.0.0.1', '127.0.0.2']
const cacheDirectory = sandboxCacheDirectory(process.env)
const log = (): void => undefined

// Its images are made as root from Debian's packages, as the engine is.
await describeWithEngine('the network in a box', () => {
  let directory: string
  let repositories: string
  let repository: string
  let network: Network
  const stopAtEnd: {stop(): Promise<void>}[] = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'build-moby-network-test-'))
    repositories = join(directory, 'repositories')
    repository = join(repositories, 'acme/engine.git')
    await makeRepository(join(directory, 'work'), repository)
    network = await startNetwork({addresses, cacheDirectory, repositories, log})
    stopAtEnd.push(network)
  }, 300_000)

  afterAll(async () => {
    await Promise.all(stopAtEnd.map(server => server.stop()))
    await rm(directory, {recursive: true, force: true})
  })

  const freshDirectory = (): Promise<string> => mkdtemp(join(directory, 'clone-'))

  it.each(['acme/engine.git', 'acme/engine'])('lets git clone %s without blobs', async name => {
    const into = await freshDirectory()
    await git('clone', '--quiet', '--filter=blob:none', '--no-checkout', `${at(network.git.port)}/${name}`, into)

    expect(await git('-C', into, 'rev-list', '--count', 'HEAD')).toBe('2')
    expect(await missingObjects(into)).toHaveLength(2)
    expect(network.git.requests()).toContainEqual({method: 'POST', path: `/${name}/git-upload-pack`, status: 200})
  })

  it('lets git fetch a commit that no ref leads to', async () => {
    const commit = await unreachableCommit(repository)
    const into = await freshDirectory()
    await git('init', '--quiet', into)
    await git('-C', into, 'fetch', '--quiet', '--depth=1', `${at(network.git.port)}/acme/engine`, commit)

    expect(await git('-C', into, 'rev-parse', 'FETCH_HEAD')).toBe(commit)
  })

  it('can be a git server that neither filters nor hands out any commit', async () => {
    const server = await startGitServer({addresses, root: repositories, log, filter: false, anyCommit: false})
    stopAtEnd.push(server)
    const url = `${at(server.port)}/acme/engine.git`
    const into = await freshDirectory()
    await git('clone', '--quiet', '--filter=blob:none', '--no-checkout', url, into)

    expect(await missingObjects(into)).toEqual([])
    await expect(git('-C', into, 'fetch', url, await unreachableCommit(repository))).rejects.toThrow(
      'does not allow request for unadvertised object'
    )
  })

  it('can be a git server that asks for credentials', async () => {
    const credentials = {username: 'porter', password: 's3cret'}
    const server = await startGitServer({addresses, root: repositories, log, credentials})
    stopAtEnd.push(server)

    await expect(git('ls-remote', `${at(server.port)}/acme/engine.git`)).rejects.toThrow('could not read Username')
    expect(await git('ls-remote', `http://porter:s3cret@127.0.0.1:${server.port}/acme/engine.git`)).toContain('main')
  })

  it.each([
    ['library/golang', '1.24.9-bookworm'],
    ['library/golang', '1.26.5-bookworm'],
    ['library/golang', '1.24.9-alpine3.21'],
    ['tonistiigi/xx', '1.6.1'],
    ['tonistiigi/xx', '1.9.0'],
    ['library/busybox', 'latest']
  ])('holds %s:%s with a complete configuration', async (name, tag) => {
    const api = `${at(network.registry.port, '127.0.0.2')}/v2/${name}`
    const manifest = (await getJson(`${api}/manifests/${tag}?ns=docker.io`)) as Manifest
    const layer = manifest.layers[0]
    const stored = await fetch(`${api}/blobs/${layer.digest}`, {method: 'HEAD'})

    expect(Number(stored.headers.get('content-length'))).toBe(layer.size)
    expect(await getJson(`${api}/blobs/${manifest.config.digest}`)).toMatchObject({
      os: 'linux',
      architecture: expect.stringMatching(/^(amd64|arm64)$/),
      config: {Env: expect.arrayContaining([expect.stringMatching(/^PATH=/)])},
      rootfs: {type: 'layers', diff_ids: expect.arrayContaining([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)])}
    })
    expect(network.registry.requests()).toContainEqual({
      method: 'GET',
      path: `/v2/${name}/manifests/${tag}?ns=docker.io`,
      status: 200
    })
  })

  it('stores layers whose content has the digest they are named by', async () => {
    const api = `${at(network.registry.port)}/v2/library/busybox`
    const {layers} = (await getJson(`${api}/manifests/latest`)) as Manifest
    const content = await getBytes(`${api}/blobs/${layers[0].digest}`)

    expect(`sha256:${createHash('sha256').update(content).digest('hex')}`).toBe(layers[0].digest)
  })

  it('has no Dockerfile frontend', async () => {
    expect((await fetch(`${at(network.registry.port)}/v2/docker/dockerfile/manifests/1`)).status).toBe(404)
  })

  it('serves a Go program as a module', async () => {
    const base = `${at(network.goProxy.port)}/github.com/tc-hib/go-winres/@v`

    expect(Buffer.from(await getBytes(`${base}/list`)).toString()).toBe('v0.3.1\n')
    expect(await getJson(`${base}/v0.3.1.info`)).toMatchObject({Version: 'v0.3.1'})
    expect(Object.keys(unzipSync(await getBytes(`${base}/v0.3.1.zip`)))).toEqual([
      'github.com/tc-hib/go-winres@v0.3.1/go.mod',
      'github.com/tc-hib/go-winres@v0.3.1/main.go'
    ])
    expect((await fetch(`${at(network.goProxy.port)}/example.com/other/@v/list`)).status).toBe(404)
  })

  it("serves this machine's own Debian archive", async () => {
    const release = await getBytes(`${at(network.aptMirror.port)}/debian/dists/${await machineSuite()}/InRelease`)

    expect(Buffer.from(release).toString()).toContain('BEGIN PGP SIGNED MESSAGE')
    expect((await fetch(`${at(network.aptMirror.port)}/ubuntu/dists/noble/InRelease`)).status).toBe(404)
  })

  it('keeps packages and, for days without upstream, indexes', async () => {
    const upstream = await startHttpServer({addresses, log, handle: ({url}, response) => void response.end(url)})
    const base = at(upstream.port)
    const mirror = await startAptMirror({
      addresses,
      cacheDirectory: await freshDirectory(),
      log,
      upstream: {debian: `${base}/archive/debian`, debianSecurity: `${base}/archive/debian-security`}
    })
    stopAtEnd.push(mirror)
    const paths = ['/debian/pool/g%2b%2b_1~2.deb', '/debian-security/dists/x/InRelease']
    const read = (): Promise<string[]> => Promise.all(paths.map(async path => (await get(mirror.port, path)).body))
    const first = await read()
    const second = await read()
    await upstream.stop()

    expect(first.join(' ')).toMatch(/^\/archive\/debian\/pool\/g%2B%2B_1~2.deb \/archive\/debian-security\//)
    expect(await read()).toEqual(first)
    expect(second).toEqual(first)
    expect(upstream.requests()).toHaveLength(3)
    expect((await get(mirror.port, '/debian/dists/x/Release')).status).toBe(502)
  })

  it('has a forward proxy that tells what passed through it', async () => {
    const target = `${at(network.goProxy.port)}/github.com/tc-hib/go-winres/@v/list`
    const {status, body} = await get(network.forwardProxy.port, target)

    expect({status, body}).toEqual({status: 200, body: 'v0.3.1\n'})
    expect(network.forwardProxy.requests()).toEqual([{method: 'GET', target}])
  })

  it('can have a forward proxy that asks for credentials', async () => {
    const credentials = {username: 'porter', password: 's3cret'}
    const proxy = await startForwardProxy({addresses, cacheDirectory, log, credentials})
    stopAtEnd.push(proxy)
    const url = `${at(network.git.port)}/acme/engine.git`
    const through = (userinfo: string): Promise<string> =>
      git('-c', `http.proxy=http://${userinfo}127.0.0.2:${proxy.port}`, 'ls-remote', url)

    expect((await get(proxy.port, url)).status).toBe(407)
    await expect(through('')).rejects.toThrow('407')
    expect(await through('porter:s3cret@')).toContain('refs/heads/main')
    expect(proxy.requests()).toContainEqual({method: 'GET', target: `${url}/info/refs?service=git-upload-pack`})
  })

  it('names itself as inputs of the action', () => {
    const at = ({port}: {readonly port: number}): string => `http://10.213.7.1:${port}`
    expect(network.inputs('10.213.7.1')).toEqual({
      'registry-mirrors': `docker.io=${at(network.registry)}`,
      'apt-mirror': at(network.aptMirror),
      'apk-mirror': at(network.apkMirror),
      'git-mirrors': `https://github.com/=${at(network.git)}/`,
      'download-mirrors': `https://downloads.example/=${at(network.downloads)}/`,
      'go-proxy': at(network.goProxy),
      'go-sumdb': expect.stringMatching(
        `^sum\\.sandbox\\.example\\+[0-9a-f]{8}\\+[\\w+/]{44} ${at(network.checksumDatabase)}$`
      ),
      'pip-index': `${at(network.pipIndex)}/simple`,
      'gem-source': `${at(network.gemSource)}/`
    })
  })
})

interface Manifest {
  readonly config: {readonly digest: string}
  readonly layers: readonly [{readonly digest: string; readonly size: number}]
}

function at(port: number, address = '127.0.0.1'): string {
  return `http://${address}:${port}`
}

async function getBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url, {headers: {accept: 'application/vnd.oci.image.manifest.v1+json, */*'}})
  if (!response.ok) throw new Error(`${url} was answered ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

async function getJson(url: string): Promise<unknown> {
  return JSON.parse(Buffer.from(await getBytes(url)).toString())
}

/** Sends `target` as it is, which may be a whole URL for a proxy. */
async function get(port: number, target: string): Promise<{status: number | undefined; body: string}> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({host: '127.0.0.1', port, path: target, agent: false}, resolve).once('error', reject).end()
  })
  return {status: response.statusCode, body: await text(response)}
}
