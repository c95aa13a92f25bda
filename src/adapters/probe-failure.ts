import type {ProbeFailure, ProbeResult} from '../ports.js'

/** A proxy's answer to us instead of the server's. */
export class ProxyRefusal extends Error {
  override readonly name = 'ProxyRefusal'
  readonly status: number

  constructor(status: number, words: string) {
    super(`the proxy answered ${status}${words === '' ? '' : ` ${words}`}`)
    this.status = status
  }
}

// Codes of system calls (libuv), of OpenSSL's verification (X509_V_ERR_…), of Node and of its HTTP parser (llhttp).
const reasons: readonly (readonly [RegExp, ProbeFailure])[] = [
  [/^(ENOTFOUND|EAI_)/, 'unknown host'],
  [/^ECONNREFUSED$/, 'connection refused'],
  [/^ETIMEDOUT$/, 'timeout'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/, 'connection lost'],
  [/^(UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|CERT_UNTRUSTED)/, 'unknown authority'],
  [/^ERR_TLS_CERT_ALTNAME/, 'wrong host'],
  [/^(ERR_SSL_|ERR_TLS_|CERT_|CRL_|INVALID_CA|INVALID_PURPOSE|EPROTO$)/, 'TLS'],
  [/^HPE_/, 'no HTTP']
]

/** What an error of Node's network modules means, and its words. `proxyReached` is false while a proxy is being dialled. */
export function failureOf(error: unknown, proxyReached: boolean): Extract<ProbeResult, {failure: string}> {
  if (error instanceof ProxyRefusal) {
    const {message, status} = error
    return {failure: message, reason: status === 407 ? 'proxy login' : status < 500 ? 'proxy denied' : 'proxy failed'}
  }
  const reason = reasonOf(error)
  const ofConnection = reason === 'unknown host' || reason === 'timeout' || reason.startsWith('connection')
  const ofProxy = !proxyReached && (ofConnection || reason === 'other')
  return {failure: wordsOf(error), reason: ofProxy ? 'proxy unreachable' : reason}
}

function reasonOf(error: unknown): ProbeFailure {
  if (typeof error !== 'object' || error === null) return 'other'
  // For some of OpenSSL's errors the code is EPROTO, depending on Node's version.
  if (/wrong version number|packet length too long/.test(wordsOf(error))) return 'no TLS'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const reason = reasons.find(([pattern]) => pattern.test(code))?.[1]
  if (reason !== undefined) return reason
  return 'errors' in error && Array.isArray(error.errors) ? reasonOf(error.errors[0]) : 'other'
}

function wordsOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  // One error for each address of a host: an AggregateError.
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.map(wordsOf).join('; ')
  const message = 'message' in error && typeof error.message === 'string' ? error.message : 'unknown failure'
  // OpenSSL's words are between colons: `…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…`.
  const [, routine] = /:SSL routines:[^:]*:([^:]+)/.exec(message) ?? []
  return routine ?? message.trim()
}
