import type {ProbeFailure} from '../ports.js'
import type {Answered, Reply} from './ask.js'

/** What became of an endpoint that was asked. */
export interface Finding {
  readonly state:
    | 'reachable'
    /** As `reachable`, at another host. */
    | 'redirected'
    | 'refused'
    /** Nobody asked, or went where it sends on to: nothing permits it. */
    | 'refused by strict'
    | 'tls error'
    | 'proxy denied'
    | 'not found'
    /** Somebody answered, but nothing that the build could use. */
    | 'wrong answer'
    | 'no answer'
  readonly detail: string
  /** The URL that was asked last. */
  readonly asked: string
  readonly reason?: ProbeFailure
}

/** Looks at an answer: whether the build can use it, and what is to be said of it, `''` for nothing. */
export type Check = (answer: Answered) => {readonly good: boolean; readonly words: string}

const stateOfFailure: Readonly<Record<ProbeFailure, Finding['state']>> = {
  timeout: 'no answer',
  'unknown host': 'no answer',
  'connection refused': 'refused',
  'connection lost': 'no answer',
  'unknown authority': 'tls error',
  'wrong host': 'tls error',
  'no TLS': 'tls error',
  TLS: 'tls error',
  'no HTTP': 'wrong answer',
  'proxy unreachable': 'no answer',
  'proxy login': 'proxy denied',
  'proxy denied': 'proxy denied',
  'proxy failed': 'no answer',
  other: 'no answer'
}

const explanations: Partial<Record<ProbeFailure, string>> = {
  'unknown authority': 'its certificate is from an authority that is not trusted here: ',
  'no TLS': 'it speaks plain HTTP: ',
  'no HTTP': 'it does not speak HTTP: ',
  'proxy unreachable': 'the proxy does not answer: '
}

/** Reads the reply to a request for `url`; `viaProxy` says whether a proxy stands in between. */
export function findingOf(url: string, reply: Reply, viaProxy: boolean, check: Check): Finding {
  const {result, url: asked} = reply
  const sentOn = new URL(asked).origin !== new URL(url).origin
  const on = sentOn ? `sends on to ${new URL(asked).origin}, which ` : ''
  if ('failure' in result) {
    const {failure, reason} = result
    const detail = `${on === '' ? '' : `${on}fails: `}${explanations[reason] ?? ''}${failure}`
    return {state: stateOfFailure[reason], detail, asked, reason}
  }
  const {status} = result
  const {good, words} = check(result)
  if (!good && viaProxy && saysItself(asked, result)) {
    const reason = status === 403 ? 'proxy denied' : 'proxy failed'
    return {state: stateOfFailure[reason], detail: `${on}the proxy ${words}`, asked, reason}
  }
  if (!good) return {state: stateOfStatus(status), detail: `${on}${words}`, asked}
  if (!sentOn) return {state: 'reachable', detail: words, asked}
  const to = `to ${new URL(asked).origin}`
  return {state: 'redirected', detail: words === '' ? to : `${to}, ${words}`, asked}
}

function stateOfStatus(status: number): Finding['state'] {
  if (status === 404 || status === 410) return 'not found'
  return status === 401 || status === 403 || status === 429 || status === 451 ? 'refused' : 'wrong answer'
}

/**
 * Whether an answer is the proxy's own, and not one that it has passed on: that carries `Via` (RFC 9110, 7.6.3). Squid
 * marks its own errors. Over TLS only the server answers.
 */
function saysItself(asked: string, {status, headers}: Answered): boolean {
  if (!asked.startsWith('http:') || !(status === 403 || status >= 500)) return false
  return headers.via === undefined || headers['x-squid-error'] !== undefined
}

/** Whether an answer is a page for people, such as that of a captive portal, which says 200 to everything. */
export function isPage({headers, body}: Answered): boolean {
  return /^text\/html\b/i.test(headers['content-type'] ?? '') || /^\s*<(?:!doctype html|html)\b/i.test(body)
}

/** Whether the build will get what it asks for there. */
export function isGood({state}: Pick<Finding, 'state'>): boolean {
  return state === 'reachable' || state === 'redirected'
}
