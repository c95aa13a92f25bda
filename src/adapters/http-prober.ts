import {request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions} from 'node:http'
import {request as httpsRequest} from 'node:https'
import {isIP} from 'node:net'
import type {Duplex} from 'node:stream'
import {connect as connectTls, type SecureContext} from 'node:tls'
import {proxyUrl} from '../network/proxy.js'
import type {Probe, Prober, ProbeResult} from '../ports.js'
import type {Environment} from './environment.js'
import {failureOf, ProxyRefusal} from './probe-failure.js'
import {percentDecoded} from './secrets.js'
import {trustStore} from './trust-store.js'

const bodyBytesKept = 64 * 1024

// Node gives each address of a host 250 ms and then drops it for the next one: too little for the other end of the world.
const addressMilliseconds = 1500

/** Probes over HTTP, direct or through a proxy, without following redirects. */
export function httpProber(environment: Environment = process.env): Prober {
  const trusting = trustStore(environment)
  return {
    async get(probe) {
      const attempt: Attempt = {
        signal: AbortSignal.timeout(probe.timeoutMilliseconds),
        secureContext: undefined,
        opened: [],
        proxyReached: probe.proxy === undefined
      }
      try {
        attempt.secureContext = trusting(probe.certificates)
        return await answerTo(await ask(probe, attempt), probe)
      } catch (error) {
        if (attempt.signal.aborted) {
          const failure = `no answer within ${probe.timeoutMilliseconds / 1000} s`
          return {failure, reason: attempt.proxyReached ? 'timeout' : 'proxy unreachable'}
        }
        return failureOf(error, attempt.proxyReached)
      } finally {
        for (const each of attempt.opened) each.destroy()
      }
    }
  }
}

/** What one probe has under way. */
interface Attempt {
  readonly signal: AbortSignal
  secureContext: SecureContext | undefined
  /** What must not stay open. */
  readonly opened: {destroy(): unknown}[]
  proxyReached: boolean
}

async function ask(probe: Probe, attempt: Attempt): Promise<IncomingMessage> {
  const url = new URL(probe.url)
  const headers = {'User-Agent': 'build-moby', ...probe.headers}
  const options: RequestOptions = {method: probe.method ?? 'GET', headers}
  if (probe.proxy === undefined) return await respond(open(url, options, attempt), attempt)
  const proxy = new URL(proxyUrl(probe.proxy))
  if (url.protocol === 'https:') {
    const socket = await tunnel(url, proxy, attempt)
    const createConnection = () => secure(url, socket, attempt)
    return await respond(open(url, {...options, createConnection}, attempt), attempt)
  }
  // Many proxies let CONNECT through to port 443 alone, so plain HTTP is asked for in the absolute form, as by curl and Go.
  const absolute = {
    headers: {...headers, ...credentialsFor(proxy), Host: url.host},
    path: `${url.origin}${url.pathname}${url.search}`
  }
  return await respond(open(proxy, {...options, ...absolute}, attempt), attempt)
}

function open(url: URL, options: RequestOptions, attempt: Attempt): ClientRequest {
  const {signal, secureContext} = attempt
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const common = {
    ...(options.createConnection === undefined ? {agent: false} : {}),
    ...(secureContext === undefined ? {} : {secureContext}),
    // Node would take it from the Host header, which a request to a proxy has of another host.
    servername: serverName(url),
    // Without an agent Node takes 80 for the default, and writes it into the Host header of HTTPS.
    defaultPort: url.protocol === 'https:' ? 443 : 80,
    autoSelectFamilyAttemptTimeout: addressMilliseconds,
    signal
  }
  // Options beside a URL replace what is in it, its user and password too.
  const sent = request(new URL(`${url.protocol}//${url.host}${url.pathname}${url.search}`), {...common, ...options})
  attempt.opened.push(sent)
  sent.on('socket', socket => {
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      attempt.proxyReached = true
    })
  })
  return sent
}

async function respond(request: ClientRequest, {opened}: Attempt): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    request.once('response', response => {
      opened.push(response)
      resolve(response)
    })
    request.on('error', reject)
    request.end()
  })
}

/** A way through the proxy to the host of `url`. */
async function tunnel(url: URL, proxy: URL, attempt: Attempt): Promise<Duplex> {
  const authority = `${url.hostname}:${url.port === '' ? '443' : url.port}`
  const headers = {...credentialsFor(proxy), Host: authority}
  const request = open(proxy, {method: 'CONNECT', path: authority, headers}, attempt)
  return await new Promise((resolve, reject) => {
    request.once('connect', ({statusCode = 0, statusMessage = ''}: IncomingMessage, socket: Duplex) => {
      attempt.opened.push(socket)
      socket.on('error', reject)
      if (statusCode === 200) resolve(socket)
      else reject(new ProxyRefusal(statusCode, statusMessage))
    })
    request.on('error', reject)
    request.end()
  })
}

function secure(url: URL, socket: Duplex, {opened, secureContext}: Attempt): Duplex {
  const secured = connectTls({
    socket,
    host: plainHost(url),
    servername: serverName(url),
    ALPNProtocols: ['http/1.1'],
    ...(secureContext === undefined ? {} : {secureContext})
  })
  opened.push(secured)
  return secured
}

function plainHost({hostname}: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** Addresses are no server names (RFC 6066, 3). */
function serverName(url: URL): string {
  return isIP(plainHost(url)) === 0 ? plainHost(url) : ''
}

function credentialsFor(proxy: URL): Record<string, string> {
  const credentials = [proxy.username, proxy.password].map(percentDecoded).join(':')
  return credentials === ':' ? {} : {'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}`}
}

async function answerTo(response: IncomingMessage, {proxy}: Probe): Promise<ProbeResult> {
  const {statusCode = 0, statusMessage = ''} = response
  if (statusCode === 407 && proxy !== undefined) throw new ProxyRefusal(statusCode, statusMessage)
  const named = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
  return {
    status: statusCode,
    headers: Object.fromEntries(named) as Record<string, string>,
    body: await beginning(response)
  }
}

async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= bodyBytesKept) break
  }
  return Buffer.concat(chunks).subarray(0, bodyBytesKept).toString('utf8')
}
