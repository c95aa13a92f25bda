import type {EndpointKind, Route} from '../network/endpoint.js'
import type {Network} from '../network/network.js'
import {authorityLine, mirrorLine, permissionLine, plainMirrorLine, proxyLine} from '../network/suggested-input.js'
import type {FailureKind} from './failure-kind.js'
import type {Subject} from './subject.js'

/** The parts of a sentence that depend on what was fetched, and how. */
interface Words {
  /** Inputs to try, in backquotes. */
  readonly mirror: string
  readonly plain: string
  readonly permission: string
  readonly proxy: string
  readonly kind: EndpointKind
  readonly via: Route['via'] | undefined
  readonly another: string
}

const reach = ({mirror, proxy, via, another}: Words): string =>
  via === 'proxy'
    ? `Check the proxy in ${proxy}, leave the host out of it with \`no-proxy\`, or try a mirror: ${mirror}.`
    : `Try ${another}: ${mirror}.`

const sentences: Readonly<Record<FailureKind, (words: Words) => string>> = {
  dns: reach,
  timeout: reach,
  'connection refused': reach,
  unreachable: reach,
  'connection lost': reach,
  'rate limit': words =>
    isImage(words.kind) ? `The registry gives more to who has logged in before. ${reach(words)}` : reach(words),
  'server error': reach,
  'git early eof': reach,
  tls: () =>
    `The mirror, or somebody in between, has a certificate of an authority that is not known here; trust it: \`${authorityLine}\`.`,
  'plain http': ({mirror, plain, via, kind}) =>
    via === 'mirror'
      ? `This mirror does not speak TLS; say so: ${plain}${isImage(kind) ? ", and name its host in `insecure-registries` of the daemon's daemon.json" : ''}.`
      : `What answers in the server's place does not speak TLS; go around it: ${mirror}.`,
  'proxy login': ({proxy, via}) =>
    via === 'daemon'
      ? 'The proxy of the Docker daemon wants a user and a password, or other ones: `proxies` in its daemon.json.'
      : `The proxy wants a user and a password, or other ones: ${proxy}.`,
  forbidden: ({mirror, via, another}) =>
    `The server${via === 'proxy' ? ', or the proxy,' : ''} refuses this; try ${another}: ${mirror}.`,
  'package gone': ({mirror, kind}) =>
    `This address does not have it, or not any more; check it, or try one that does${kind === 'apt' ? ' (old releases of Debian are at http://archive.debian.org)' : ''}: ${mirror}.`,
  missing: ({mirror, via}) =>
    `The server does not have it${via === 'mirror' ? ' (a mirror may lag behind)' : ''}; try one that does: ${mirror}.`,
  'wrong answer': ({mirror, another}) =>
    `What answers there is no Go proxy, or somebody in between answers in its place; check its address, or try ${another}: ${mirror}.`,
  'expired release': ({mirror}) =>
    `Nobody renews this copy of the archive, or the clock here is wrong; try a mirror that is kept up to date: ${mirror}.`,
  checksum: ({mirror, another}) =>
    `These are other bytes than were asked for, as of a stale mirror or an altering proxy; try ${another}: ${mirror}.`,
  sumdb: () =>
    'The checksum database gave no sum; `go-sumdb: sum.golang.google.cn` asks it under its other name, and `go-sumdb: off` not at all.',
  'no space': () =>
    'The disk of the Docker daemon is full: free some of it, or keep less of the build with `cache: off`.',
  'out of memory': () =>
    'The system ended a program for want of memory: take a larger machine, or build less at a time with `target: binary`.',
  'refused by strict': ({permission}) =>
    `\`strict\` refuses what has no mirror, proxy or permission; name a mirror, or permit it: ${permission}.`,
  'no network step': () =>
    'Under `strict` this step has no network, because it was taken for one that downloads nothing; it gets one with `strict: false`.',
  other: () => ''
}

/** A proxy of the daemon's own is none that an input changes. */
function viaOf(route: Route | undefined): Route['via'] | undefined {
  const ours = route?.inputs.some(input => input === 'http-proxy' || input === 'https-proxy') ?? false
  return route?.via === 'proxy' && !ours ? 'daemon' : route?.via
}

/** What the user can do about a failure: one sentence with the line of input to try, in backquotes. */
export function adviceFor(kind: FailureKind, {url, wanted}: Subject, network: Network): string | undefined {
  const via = viaOf(wanted.route)
  const sentence = sentences[kind]({
    mirror: `\`${mirrorLine(wanted, network)}\``,
    plain: `\`${plainMirrorLine(wanted, network)}\``,
    permission: `\`${permissionLine(wanted, network)}\``,
    proxy: `\`${proxyLine(proxyInput(url, wanted.route), wanted.route?.proxy)}\``,
    kind: wanted.kind,
    via,
    another: via === 'mirror' ? 'another mirror' : 'a mirror'
  })
  return sentence === '' ? undefined : sentence
}

/** Of the two proxies the one that was asked. */
function proxyInput(url: string | undefined, route: Route | undefined): 'http-proxy' | 'https-proxy' {
  const plain = url === undefined ? route?.inputs.find(name => /^https?-proxy$/.test(name)) : url.split(':')[0]
  return plain === 'http' || plain === 'http-proxy' ? 'http-proxy' : 'https-proxy'
}

function isImage(kind: EndpointKind): boolean {
  return kind === 'image' || kind === 'frontend'
}
