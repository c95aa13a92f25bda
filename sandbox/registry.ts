import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {type IncomingMessage, request as httpRequest, type ServerResponse} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {type HttpServer, startHttpServer} from './http-server.js'
import {startProgram} from './program.js'
import {unpackedPackages} from './unpacked-packages.js'

export interface Registry extends HttpServer {
  /** The registry on the first of its addresses: `http://address:port`. */
  readonly url: string
}

/**
 * Starts an empty image registry: Debian's docker-registry (https://distribution.github.io/distribution), which listens
 * on a Unix socket, behind a front that listens on all `addresses` and keeps the access log.
 */
export async function startRegistry(options: {
  readonly addresses: readonly string[]
  readonly cacheDirectory: string
  readonly log: (line: string) => void
}): Promise<Registry> {
  const {addresses, cacheDirectory, log} = options
  const programs = await unpackedPackages(['docker-registry'], {cacheDirectory, log})
  const directory = await mkdtemp(join(tmpdir(), 'build-moby-registry-'))
  const socketPath = join(directory, 'socket')
  const configurationFile = join(directory, 'config.yml')
  // JSON is YAML. Relative URLs, since the registry itself does not know the address that clients use.
  const configuration = {
    version: '0.1',
    log: {level: 'error', accesslog: {disabled: true}},
    storage: {filesystem: {rootdirectory: join(directory, 'storage')}, delete: {enabled: true}},
    http: {net: 'unix', addr: socketPath, relativeurls: true}
  }
  await writeFile(configurationFile, JSON.stringify(configuration))
  const front = await startHttpServer({
    addresses,
    log,
    handle: (request, response) => passOn(request, response, socketPath)
  })
  const tidyUp = async (): Promise<void> => {
    await front.stop()
    await rm(directory, {recursive: true})
  }
  try {
    const program = await startProgram([join(programs, 'usr/bin/docker-registry'), 'serve', configurationFile], {
      log,
      ready: () => answers(socketPath)
    })
    return {
      ...front,
      url: `http://${addresses[0] ?? '127.0.0.1'}:${front.port}`,
      stop: async () => {
        await program.stop()
        await tidyUp()
      }
    }
  } catch (error) {
    await tidyUp()
    throw error
  }
}

async function passOn(request: IncomingMessage, response: ServerResponse, socketPath: string): Promise<void> {
  const {method, url: path, headers} = request
  const inner = httpRequest({socketPath, method, path, headers})
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    inner.once('response', resolve).once('error', reject)
  })
  await pipeline(request, inner)
  const received = await answer
  response.writeHead(received.statusCode ?? 502, received.headers)
  await pipeline(received, response)
}

async function answers(socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = httpRequest({socketPath, path: '/v2/'}, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    probe.once('error', () => {
      resolve(false)
    })
    probe.end()
  })
}
