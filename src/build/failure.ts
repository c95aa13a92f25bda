import type {BuildProgress} from './progress.js'
import type {Inputs} from '../inputs.js'
import {redactUrl} from '../network/url.js'

/** Why a build failed, as far as its output tells. */
export interface Diagnosis {
  readonly step: string
  /** The line of output that names the cause, or the end of the output and the error itself. */
  readonly cause: string
  /** Whether another attempt may succeed. */
  readonly network: boolean
  /** What the user can do. */
  readonly advice?: string
}

type Channel = 'image' | 'apt' | 'git' | 'go' | 'other'

// Enough for the errors of a compiler, which stops at ten.
const linesShown = 12

/** As git, apt, Go, curl and BuildKit word network failures. */
const networkFailures =
  /timed? ?out|timeout|temporary failure (in name resolution|resolving)|could(n't| not) resolve|no such host|name or service not known|connection (refused|reset|closed|timed out)|network is unreachable|no route to host|early EOF|unexpected EOF|the remote end hung up|RPC failed|TLS handshake|unable to access|unable to connect|could not connect|failed to fetch|bad gateway|service unavailable|gateway time-?out|too ?many ?requests|proxy authentication required|(status( code)?|code|error|response|HTTP\/[\d.]+):? (407|429|50[234])\b|server gave HTTP response to HTTPS client|http2: |broken pipe|proxy ?(connect|error)/i

// `cmd/dockerd/docker.go:407:2: undefined: timeout`; but Go puts a position before a failed download, too.
const compilerMessage = /^\s*[^\s:]+\.(go|c|h|cc|cpp|S):\d+(:\d+)?: (?!.*(https?:|dial tcp))/

const channels: readonly (readonly [Channel, RegExp])[] = [
  [
    'image',
    /load metadata for|resolve image config|docker-image:\/\/|failed to resolve source metadata|pull access denied|manifests?\//i
  ],
  ['go', /\bgo: |proxy\.golang\.org|sum\.golang\.org|GOPROXY|\/@v\//i],
  ['apt', /apt-get|^(E|W|Err)[: ]|\/dists\/|debian|ubuntu/i],
  ['git', /\bgit\b|github\.com|fatal: |RPC failed|early EOF/i]
]

const inputsOfChannel: Readonly<Record<Channel, string>> = {
  image: "'registry-mirrors'",
  apt: "'apt-mirror'",
  git: "'git-mirrors'",
  go: "'go-proxy' (and 'go-sumdb')",
  other: "the proxy inputs 'http-proxy' and 'https-proxy'"
}

/** Reads a failed build: which step, why, whether it was the network, and which input changes the route. */
export function diagnose({failure, messages}: BuildProgress, inputs: Inputs): Diagnosis {
  const message = failure?.message ?? messages.findLast(line => /error/i.test(line)) ?? messages.at(-1) ?? 'no message'
  // BuildKit repeats the whole script of a failed RUN, in which any word may occur.
  const error = message.replace(/process ".*" (?=did not complete successfully)/s, 'the process ')
  const lines = [...(failure?.output ?? []), error]
  // What a compiler complains of has been downloaded, whatever went wrong on the way.
  const afterCompiler = lines.slice(lines.findLastIndex(line => compilerMessage.test(line)) + 1)
  const cause = afterCompiler.findLast(line => networkFailures.test(line))
  const step = failure?.step ?? 'docker buildx bake'
  if (cause === undefined) {
    const said = (failure?.output ?? []).filter(line => line.trim() !== '').slice(-linesShown)
    return {step, cause: [...said, error.trim()].join('\n'), network: false}
  }
  const channel =
    channels.find(([, pattern]) => pattern.test(cause))?.[0] ??
    channels.find(([, pattern]) => pattern.test(step))?.[0] ??
    'other'
  const proxy = inputs.proxies.https ?? inputs.proxies.http
  const route = routeOf(channel, inputs) ?? (proxy === undefined ? 'direct' : `through the proxy ${redactUrl(proxy)}`)
  return {
    step,
    cause: cause.trim(),
    network: true,
    advice: `The download went ${route}; ${inputsOfChannel[channel]} ${channel === 'other' ? 'change' : 'changes'} that${channel === 'other' ? '' : ", and so do 'http-proxy' and 'https-proxy'"}.`
  }
}

function routeOf(channel: Channel, inputs: Inputs): string | undefined {
  const mirror = {
    image: inputs.registryMirrors[0]?.host,
    apt: inputs.aptMirror,
    git: inputs.gitMirrors[0]?.to,
    go: inputs.goProxy,
    other: undefined
  }[channel]
  return mirror === undefined ? undefined : `to the mirror ${mirror}`
}
