import {Agent, ProxyAgent, request, type Dispatcher} from 'undici'
import type {Prober} from '../ports.js'
import {percentDecoded} from './secrets.js'

const bodyBytesKept = 64 * 1024

/** Probes over HTTP, direct or through a proxy, without following redirects. */
export function httpProber(): Prober {
  return {
    async get({url, headers, proxy, timeoutMilliseconds}) {
      let dispatcher: Dispatcher | undefined
      try {
        dispatcher = proxy === undefined ? new Agent() : proxyAgent(proxy)
        const {
          statusCode,
          headers: answered,
          body
        }: Dispatcher.ResponseData = await request(url, {
          dispatcher,
          headers: {...headers},
          signal: AbortSignal.timeout(timeoutMilliseconds)
        })
        const named = Object.entries(answered).map(([name, value]) => [name, String(value)])
        return {
          status: statusCode,
          headers: Object.fromEntries(named) as Record<string, string>,
          body: await beginning(body)
        }
      } catch (error) {
        return {failure: reason(error, timeoutMilliseconds)}
      } finally {
        await dispatcher?.destroy()
      }
    }
  }
}

function proxyAgent(proxy: string): ProxyAgent {
  const url = new URL(proxy)
  const credentials = [url.username, url.password].map(percentDecoded).join(':')
  const token = credentials === ':' ? {} : {token: `Basic ${Buffer.from(credentials).toString('base64')}`}
  // Many proxies let CONNECT through to port 443 alone, so plain HTTP is asked for in the absolute form, as by curl and Go.
  return new ProxyAgent({uri: url.origin, proxyTunnel: false, ...token})
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

function reason(error: unknown, timeoutMilliseconds: number): string {
  if (typeof error !== 'object' || error === null) return String(error)
  if ('name' in error && error.name === 'TimeoutError') return `no answer within ${timeoutMilliseconds / 1000} s`
  // One error for each address of a host: an AggregateError.
  if ('errors' in error && Array.isArray(error.errors)) {
    return error.errors.map(each => reason(each, timeoutMilliseconds)).join('; ')
  }
  return 'message' in error && typeof error.message === 'string' ? error.message : 'unknown failure'
}
