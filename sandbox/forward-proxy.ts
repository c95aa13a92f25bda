import {readFileSync} from 'node:fs'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {connect} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Credentials, freePort} from './http-server.js'
import {startProgram} from './program.js'
import {unpackedPackages} from './unpacked-packages.js'

/** One request that reached the proxy, refused ones included. */
export interface ProxiedRequest {
  readonly method: string
  /** The URL, or `host:port` of a CONNECT. */
  readonly target: string
}

export interface ForwardProxy {
  readonly port: number
  /** Everything asked of the proxy so far, in order. */
  requests(): readonly ProxiedRequest[]
  stop(): Promise<void>
}

export interface ForwardProxyOptions {
  readonly addresses: readonly string[]
  readonly cacheDirectory: string
  readonly log: (line: string) => void
  /** When given, clients must send them; others are answered 407. */
  readonly credentials?: Credentials
}

/** Starts a forwarding HTTP proxy, with CONNECT: tinyproxy (https://tinyproxy.github.io), in the foreground. */
export async function startForwardProxy(options: ForwardProxyOptions): Promise<ForwardProxy> {
  const {addresses, cacheDirectory, log, credentials} = options
  const programs = await unpackedPackages(['tinyproxy-bin'], {cacheDirectory, log})
  const port = await freePort(addresses)
  const directory = await mkdtemp(join(tmpdir(), 'build-moby-forward-proxy-'))
  const configurationFile = join(directory, 'tinyproxy.conf')
  const logFile = join(directory, 'tinyproxy.log')
  const lines = [
    `Port ${port}`,
    ...addresses.map(address => `Listen ${address}`),
    'Timeout 60',
    'MaxClients 200',
    'LogLevel Connect',
    `LogFile "${logFile}"`,
    ...(credentials === undefined ? [] : [`BasicAuth ${credentials.username} ${credentials.password}`])
  ]
  await writeFile(configurationFile, `${lines.join('\n')}\n`, {mode: 0o600})
  try {
    const program = await startProgram([join(programs, 'usr/bin/tinyproxy'), '-d', '-c', configurationFile], {
      log,
      ready: () => accepts(addresses[0] ?? '127.0.0.1', port)
    })
    return {
      port,
      requests: () => parseLog(readFileSync(logFile, 'utf8')),
      stop: async () => {
        await program.stop()
        await rm(directory, {recursive: true})
      }
    }
  } catch (error) {
    await rm(directory, {recursive: true})
    throw error
  }
}

/** Reads lines like `CONNECT   Nov 21 08:34:02.956 [14745]: Request (file descriptor 6): GET http://host/ HTTP/1.1`. */
function parseLog(text: string): ProxiedRequest[] {
  return [...text.matchAll(/^CONNECT .*: Request \(file descriptor \d+\): (\S+) (\S+) HTTP\/\S+$/gm)].map(
    ([, method = '', target = '']) => ({method, target})
  )
}

/** Whether somebody listens there. */
export async function accepts(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
