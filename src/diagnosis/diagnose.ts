import type {BuildProgress} from '../build/progress.js'
import type {Route, RoutedEndpoint} from '../network/endpoint.js'
import type {Network} from '../network/network.js'
import {redactUrl} from '../network/url.js'
import {adviceFor} from './advice.js'
import {isConnectionFailure, isOfMachine, isTransient, type FailureKind} from './failure-kind.js'
import {findCause, kindsIn, type Cause, type Line} from './find-cause.js'
import {findSubject, type Subject} from './subject.js'

/** Why a build failed, as far as its output tells. */
export interface Diagnosis {
  readonly kind: FailureKind
  /** The step that failed, as it is in the tree. */
  readonly step: string
  /** The line that names the cause; where none is known the end of the output and the error itself. */
  readonly cause: string
  /** The URL or image that was being fetched, without credentials. */
  readonly url?: string
  /** How that is reached: `mirror http://…`, `proxy http://…`, `direct` … */
  readonly route?: string
  /** One sentence with the line of input to try. */
  readonly advice?: string
  /** Whether another attempt may succeed. */
  readonly retryable: boolean
}

/** What is known of the build beside its output. */
export interface BuildFacts {
  /** Everything that the build downloads, and how. */
  readonly endpoints: readonly RoutedEndpoint[]
  /** The mirrors, proxies and permissions that they are reached by. */
  readonly network: Network
}

// Enough for the errors of a compiler, which stops at ten.
const linesShown = 12

/** Reads a failed build: which step, why, what it was fetching by which route, and the input that changes that. */
export function diagnose({failure, messages}: BuildProgress, facts: BuildFacts): Diagnosis {
  const step = failure?.step ?? 'docker buildx bake'
  const message = failure?.message ?? messages.findLast(line => /error/i.test(line)) ?? messages.at(-1) ?? 'no message'
  const [error, script] = withoutScript(message)
  const lines: Line[] = [
    ...(failure?.output ?? []).map(text => ({text, by: 'step'}) as const),
    ...error.split('\n').map(text => ({text, by: 'engine'}) as const)
  ]
  const cause = findCause(lines)
  if (cause === undefined) {
    const said = (failure?.output ?? []).filter(line => line.trim() !== '').slice(-linesShown)
    const end = [...said, error.trim()].map(redact).join('\n')
    return {kind: 'other', step, cause: end, retryable: false}
  }
  const text = lines[cause.index]?.text ?? ''
  const subject = findSubject(cause, lines, step, script, facts.endpoints)
  const kind = kindInContext(cause, subject, facts, isCutOff(step, failure))
  const advice = adviceFor(kind, subject, facts.network)
  return {
    kind,
    step,
    cause: redact(text.trim()),
    ...(isOfMachine(kind) ? {} : whatAndHow(subject)),
    ...(advice === undefined ? {} : {advice}),
    retryable:
      kind === 'sumdb' ? kindsIn(lines[cause.index] ?? {text, by: 'step'}).some(isTransient) : isTransient(kind)
  }
}

/** A diagnosis for people, without its step: the words of the program, what was fetched and how, what to do. */
export function diagnosisText({kind, cause, url, route, advice}: Diagnosis): string {
  return [
    cause,
    ...(url === undefined ? [] : [`  what: ${url}`]),
    ...(route === undefined ? [] : [`  route: ${route}`]),
    ...(advice === undefined ? [] : [`  ${kind}: ${advice}`])
  ].join('\n')
}

function whatAndHow({url, wanted: {route}}: Subject): Pick<Diagnosis, 'url' | 'route'> {
  return {...(url === undefined ? {} : {url}), ...(route === undefined ? {} : {route: routeText(route)})}
}

/** BuildKit repeats the whole script of a failed `RUN`, in which any word may occur. */
function withoutScript(message: string): [error: string, script: string] {
  const [, script = ''] = /process "(.*)" did not complete successfully/s.exec(message) ?? []
  return [message.replace(/process ".*" (?=did not complete successfully)/s, 'the process '), script]
}

/** What a program says may mean something else for us, who know more than it does. */
function kindInContext(
  {kind}: Cause,
  {url, wanted: {kind: wanted, route}}: Subject,
  {network: {strict}}: BuildFacts,
  cutOff: boolean
): FailureKind {
  // apk has no own words for a name that it cannot ask for.
  if (cutOff && (isConnectionFailure(kind) || kind === 'server error')) return 'no network step'
  if (strict && route?.via === 'refused' && isConnectionFailure(kind)) return 'refused by strict'
  const packages = wanted === 'apt' || wanted === 'apk'
  return kind === 'missing' && (packages || /\.(deb|apk)$/.test(url ?? '')) ? 'package gone' : kind
}

function isCutOff(step: string, failure: BuildProgress['failure']): boolean {
  return failure?.withoutNetwork === true || /\bRUN +(--\S+ +)*--network=none\b/.test(step)
}

function routeText({via, target, proxy = ''}: Route): string {
  const through = redactUrl(proxy)
  if (via === 'mirror') return `mirror ${redactUrl(target)}${through === '' ? '' : ` through the proxy ${through}`}`
  if (via === 'proxy') return `proxy ${through}`
  if (via === 'daemon') return "as the Docker daemon's own configuration says"
  return via === 'refused' ? "none, which 'strict' refuses" : via
}

function redact(line: string): string {
  return line.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s'"]*/gi, redactUrl)
}
