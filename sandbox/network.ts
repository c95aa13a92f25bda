import {type AptMirrorOptions, startAptMirror} from './apt-mirror.js'
import {type ForwardProxy, startForwardProxy} from './forward-proxy.js'
import {startGitServer} from './git-server.js'
import {startGoProxy} from './go-proxy.js'
import type {HttpServer} from './http-server.js'
import {pushImages} from './image-push.js'
import {standInImages} from './images.js'
import {type Registry, startRegistry} from './registry.js'

export interface NetworkOptions {
  /** IP addresses of this machine that every server listens on; the first should be 127.0.0.1. */
  readonly addresses: readonly string[]
  /** What is downloaded or built is kept below it from run to run. */
  readonly cacheDirectory: string
  /** Directory of bare repositories `<owner>/<name>.git`. */
  readonly repositories: string
  readonly log: (line: string) => void
  /** Archives behind the apt mirror; this machine's own if not given. */
  readonly aptUpstream?: NonNullable<AptMirrorOptions['upstream']>
}

/** Everything a build downloads from, on this machine. */
export interface Network {
  /** Holds the stand-in images. */
  readonly registry: Registry
  readonly git: HttpServer
  readonly goProxy: HttpServer
  readonly aptMirror: HttpServer
  readonly forwardProxy: ForwardProxy
  /** The action's inputs that send a build to these servers' mirrors, for a client that reaches them at `address`. */
  inputs(address: string): Record<string, string>
  stop(): Promise<void>
}

/** Starts all servers. When one cannot be started, the others are stopped again and its error is thrown. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const {repositories, aptUpstream, ...common} = options
  const started: {stop(): Promise<void>}[] = []
  const keep = async <Server extends {stop(): Promise<void>}>(starting: Promise<Server>): Promise<Server> => {
    const server = await starting
    started.push(server)
    return server
  }
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(server => server.stop()))
  }
  try {
    const registry = await keep(startRegistry(common))
    const git = await keep(startGitServer({...common, root: repositories}))
    const goProxy = await keep(startGoProxy(common))
    const aptMirror = await keep(
      startAptMirror({...common, ...(aptUpstream === undefined ? {} : {upstream: aptUpstream})})
    )
    const forwardProxy = await keep(startForwardProxy(common))
    await pushImages(registry.url, await standInImages(common))
    const inputs = (address: string): Record<string, string> => ({
      'registry-mirrors': `docker.io=http://${address}:${registry.port}`,
      'apt-mirror': `http://${address}:${aptMirror.port}`,
      'git-mirrors': `https://github.com/=http://${address}:${git.port}/`,
      'go-proxy': `http://${address}:${goProxy.port}`,
      'go-sumdb': 'off'
    })
    return {registry, git, goProxy, aptMirror, forwardProxy, inputs, stop}
  } catch (error) {
    await stop()
    throw error
  }
}
