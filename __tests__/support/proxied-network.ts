import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises'
import {request as forward} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {startAptMirror} from '../../sandbox/apt-mirror.js'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {type Engine, startEngine} from '../../sandbox/engine.js'
import {type ForwardProxy, startForwardProxy} from '../../sandbox/forward-proxy.js'
import {startGitServer} from '../../sandbox/git-server.js'
import {startGoProxy} from '../../sandbox/go-proxy.js'
import {type Credentials, hasCredentials, type HttpServer, startHttpServer} from '../../sandbox/http-server.js'
import {pushImages} from '../../sandbox/image-push.js'
import {standInImages} from '../../sandbox/images.js'
import {createRepositories} from '../../sandbox/moby-fork.js'
import {startRegistry} from '../../sandbox/registry.js'
import {addExtraAddress} from './extra-address.js'

/** A miniature moby whose builds reach what they download through a forward proxy alone, and the images directly. */
export interface ProxiedNetwork {
  readonly engine: Engine
  readonly proxy: ForwardProxy
  /** The images; golang's only for who logs in. */
  readonly registry: HttpServer
  /** These are at an address that the engine and its build steps have no way to. */
  readonly aptMirror: HttpServer
  readonly goProxy: HttpServer
  readonly git: HttpServer
  /** `host:port` of the last three. */
  readonly farHosts: Readonly<Record<'apt' | 'go' | 'git', string>>
  /** The action's inputs for the mirrors, without proxies. */
  readonly inputs: Readonly<Record<string, string>>
  /** For a docker client that is logged in to the registry; the directory is not the engine's own. */
  readonly environment: Engine['environment']
  stop(): Promise<void>
}

/** Starts all of it, or nothing. The proxy and the registry each want their credentials. */
export async function startProxiedNetwork(credentials: {
  readonly proxy: Credentials
  readonly registry: Credentials
}): Promise<ProxiedNetwork> {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  const keep = async <Server extends {stop(): Promise<void>}>(starting: Promise<Server>): Promise<Server> => {
    const server = await starting
    stops.push(() => server.stop())
    return server
  }
  try {
    const common = {cacheDirectory: sandboxCacheDirectory(process.env), log: () => undefined}
    const directory = await mkdtemp(join(tmpdir(), 'build-moby-proxied-'))
    stops.push(() => rm(directory, {recursive: true, force: true}))
    const root = join(directory, 'repositories')
    await createRepositories(root)
    const far = await addExtraAddress()
    stops.push(() => far.release())
    const onFar = {...common, addresses: [far.address]}
    const aptMirror = await keep(startAptMirror(onFar))
    const goProxy = await keep(startGoProxy(onFar))
    const git = await keep(startGitServer({...onFar, root}))

    const images = await keep(startRegistry({...common, addresses: ['127.0.0.1']}))
    await pushImages(images.url, await standInImages(common))
    const engine = await keep(startEngine(common))
    const near = [engine.hostAddress]
    const registry = await keep(startPrivateRegistry(images.url, near, credentials.registry))
    const proxy = await keep(startForwardProxy({...common, addresses: near, credentials: credentials.proxy}))
    const registryHost = `${engine.hostAddress}:${registry.port}`
    const configuration = join(directory, 'docker-config')
    await logIn(configuration, engine, registryHost, credentials.registry)
    const farHost = ({port}: HttpServer): string => `${far.address}:${port}`
    const farHosts = {apt: farHost(aptMirror), go: farHost(goProxy), git: farHost(git)}
    return {
      ...{engine, proxy, registry, aptMirror, goProxy, git, farHosts, stop},
      inputs: {
        'registry-mirrors': `docker.io=http://${registryHost}`,
        'apt-mirror': `http://${farHosts.apt}`,
        'git-mirrors': `https://github.com/=http://${farHosts.git}/`,
        'go-proxy': `http://${farHosts.go}`,
        'go-sumdb': 'off'
      },
      environment: {...engine.environment, DOCKER_CONFIG: configuration}
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A front of a registry that shows golang's images only to who sends the credentials. */
async function startPrivateRegistry(
  registryUrl: string,
  addresses: readonly string[],
  credentials: Credentials
): Promise<HttpServer> {
  return startHttpServer({
    addresses,
    log: () => undefined,
    handle: (request, response) => {
      if (request.url?.startsWith('/v2/library/golang/') === true && !hasCredentials(request, credentials)) {
        response.writeHead(401, {'www-authenticate': 'Basic realm="private images"'}).end()
        return
      }
      const {method, headers} = request
      const inner = forward(`${registryUrl}${request.url ?? '/'}`, {method, headers}, answer => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      inner.once('error', () => response.destroy())
      request.pipe(inner)
    }
  })
}

/** Writes what `docker login` writes where there is no credential helper. */
async function logIn(
  directory: string,
  engine: Engine,
  host: string,
  {username, password}: Credentials
): Promise<void> {
  await mkdir(directory, {recursive: true})
  await symlink(join(engine.environment.DOCKER_CONFIG, 'cli-plugins'), join(directory, 'cli-plugins'))
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  await writeFile(join(directory, 'config.json'), JSON.stringify({auths: {[host]: {auth}}}), {mode: 0o600})
}
