import {alpineFiles} from './alpine-packages.js'
import {type AptMirrorOptions, startAptMirror} from './apt-mirror.js'
import {checksumDatabase} from './checksum-database.js'
import {downloads, downloadsUrl} from './download-server.js'
import {type ForwardProxy, startForwardProxy} from './forward-proxy.js'
import {gemSourceFiles} from './gem-source.js'
import {startGitServer} from './git-server.js'
import {goModules, startGoProxy} from './go-proxy.js'
import type {HttpServer} from './http-server.js'
import {pushImages} from './image-push.js'
import {standInImages} from './images.js'
import {pipIndexFiles} from './pip-index.js'
import {type Registry, startRegistry} from './registry.js'
import {startFileServer, type StaticFiles} from './static-files.js'

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
  /** Knows the modules of the Go proxy. */
  readonly checksumDatabase: HttpServer
  readonly aptMirror: HttpServer
  readonly apkMirror: HttpServer
  /** Stands in for `downloadsUrl`. */
  readonly downloads: HttpServer
  readonly pipIndex: HttpServer
  readonly gemSource: HttpServer
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
    const serve = (files: StaticFiles): Promise<HttpServer> => keep(startFileServer({...common, files}))
    const database = checksumDatabase(goModules)
    const fileServers = {
      checksumDatabase: await serve(database.files),
      apkMirror: await serve(await alpineFiles()),
      downloads: await serve(downloads),
      pipIndex: await serve(pipIndexFiles()),
      gemSource: await serve(await gemSourceFiles())
    }
    const forwardProxy = await keep(startForwardProxy(common))
    await pushImages(registry.url, await standInImages(common))
    const inputs = (address: string): Record<string, string> => {
      const at = ({port}: {readonly port: number}): string => `http://${address}:${port}`
      return {
        'registry-mirrors': `docker.io=${at(registry)}`,
        'apt-mirror': at(aptMirror),
        'apk-mirror': at(fileServers.apkMirror),
        'git-mirrors': `https://github.com/=${at(git)}/`,
        'download-mirrors': `${downloadsUrl}=${at(fileServers.downloads)}/`,
        'go-proxy': at(goProxy),
        'go-sumdb': database.goSumdb(at(fileServers.checksumDatabase)),
        'pip-index': `${at(fileServers.pipIndex)}/simple`,
        'gem-source': `${at(fileServers.gemSource)}/`
      }
    }
    return {registry, git, goProxy, aptMirror, ...fileServers, forwardProxy, inputs, stop}
  } catch (error) {
    await stop()
    throw error
  }
}
