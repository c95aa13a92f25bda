import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {startAptMirror} from '../../sandbox/apt-mirror.js'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {createCertificateAuthority} from '../../sandbox/certificate-authority.js'
import {type Engine, startEngine} from '../../sandbox/engine.js'
import {namespaceFile} from '../../sandbox/engine-network.js'
import type {ForwardProxy} from '../../sandbox/forward-proxy.js'
import {frontendImage} from '../../sandbox/frontend-image.js'
import {startGitServer} from '../../sandbox/git-server.js'
import type {Credentials} from '../../sandbox/http-server.js'
import {pushImages} from '../../sandbox/image-push.js'
import {standInImages} from '../../sandbox/images.js'
import {createRepositories} from '../../sandbox/moby-fork.js'
import {startRegistry} from '../../sandbox/registry.js'
import {startSquid} from '../../sandbox/squid.js'
import {upstreamSites} from '../../sandbox/upstream-sites.js'
import {type Site, startUpstreams, type Upstreams} from '../../sandbox/upstreams.js'

const common = {cacheDirectory: sandboxCacheDirectory(process.env), log: () => undefined}

/** A network whose one way out is a proxy that reads what is in TLS and passes it to another proxy. */
export interface ClosedNetwork {
  readonly engine: Engine
  /** The proxy that everybody inside uses. */
  readonly inspecting: ForwardProxy
  /** The proxy behind it, which nobody inside knows. */
  readonly outer: ForwardProxy
  /** Stand-ins for the real hosts, by their names. */
  readonly upstreams: Upstreams
  /** The URL of the proxy for everybody inside, with these credentials or none. */
  proxyUrl(userinfo?: string): string
  /** Certificate of who signs for the inspecting proxy, in PEM form, and a file with it. */
  readonly certificate: string
  readonly certificateFile: string
  /** A node program that runs inside, where nothing but the proxy can be reached. */
  readonly node: string
  stop(): Promise<void>
}

export interface ClosedNetworkOptions {
  readonly inspecting: Credentials
  readonly outer: Credentials
  /** The node program that runs inside. */
  readonly node: string
  /** The world outside, as `startUpstreams` takes it; that of the miniature if not given. */
  readonly sites?: Readonly<Record<string, Site>>
}

type Keep = <Server extends {stop(): Promise<void>}>(starting: Promise<Server>) => Promise<Server>

/** Starts all of it, or nothing. */
export async function startClosedNetwork(options: ClosedNetworkOptions): Promise<ClosedNetwork> {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  const keep: Keep = async starting => {
    const server = await starting
    stops.push(() => server.stop())
    return server
  }
  try {
    const directory = await mkdtemp(join(tmpdir(), 'build-moby-closed-'))
    stops.push(() => rm(directory, {recursive: true, force: true}))
    const publicAuthority = await createCertificateAuthority('Authority that everybody knows', common)
    stops.push(() => publicAuthority.remove())
    const authority = await createCertificateAuthority('Authority of the closed network', common)
    stops.push(() => authority.remove())

    const sites = options.sites ?? (await startMiniature(join(directory, 'repositories'), keep))
    const upstreams = await keep(startUpstreams({...common, authority: publicAuthority, sites}))
    const outer = await keep(
      startSquid({
        ...common,
        ...{addresses: ['127.0.0.1'], credentials: options.outer, next: {port: upstreams.port}}
      })
    )
    let inspecting: ForwardProxy | undefined
    const engine = await keep(
      startEngine({
        ...common,
        certificates: authority.certificate,
        proxies: async address => {
          inspecting = await keep(
            startSquid({
              ...common,
              addresses: [address],
              credentials: options.inspecting,
              inspection: {authority, trusted: publicAuthority},
              next: {port: outer.port, credentials: options.outer}
            })
          )
          const {username, password} = options.inspecting
          const url = `http://${username}:${password}@${address}:${inspecting.port}`
          return {'http-proxy': url, 'https-proxy': url}
        }
      })
    )
    if (inspecting === undefined) throw new Error('the engine did not ask for its proxies')
    const {port} = inspecting
    const node = join(directory, 'node')
    await writeFile(node, insideScript(engine.namespace, options.node), {mode: 0o755})
    return {
      ...{engine, inspecting, outer, upstreams, node, stop},
      proxyUrl: (userinfo = '') => `http://${userinfo}${engine.hostAddress}:${port}`,
      certificate: authority.certificate,
      certificateFile: authority.certificateFile
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What the miniature is built from, on loopback, as sites. */
async function startMiniature(root: string, keep: Keep): Promise<Record<string, Site>> {
  await createRepositories(root)
  const local = {...common, addresses: ['127.0.0.1']}
  const git = await keep(startGitServer({...local, root}))
  const apt = await keep(startAptMirror(local))
  const registry = await keep(startRegistry(local))
  await pushImages(registry.url, [...(await standInImages(common)), await frontendImage(common)])
  const at = ({port}: {readonly port: number}): string => `http://127.0.0.1:${port}`
  return upstreamSites({registry: registry.url, git: at(git), apt: at(apt)})
}

// Not sh: what it does not know as a name of a variable, like INPUT_HTTP-PROXY, it does not hand on.
function insideScript(namespace: string, program: string): string {
  return `#!/bin/bash\nexec nsenter --net=${namespaceFile(namespace)} -- ${program} "$@"\n`
}
