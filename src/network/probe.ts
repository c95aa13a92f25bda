import type {Answered, Ask, AskOptions} from './ask.js'
import {follow} from './ask.js'
import {askManifest, registryApi} from './ask-registry.js'
import type {Endpoint} from './endpoint.js'
import {type Check, type Finding, findingOf, isGood, isPage} from './finding.js'
import {parseImageReference} from './images.js'
import type {Network} from './network.js'
import {proxyFor} from './proxy.js'
import {mirrorName} from './source-policy.js'
import {alpineIndexes, aptSuites} from './suites.js'
import {isHttpUrl} from './url.js'

/** What a probe needs besides its endpoint. */
export interface ProbeContext {
  readonly ask: Ask
  readonly network: Pick<Network, 'registryMirrors' | 'goProxy' | 'goSumdb' | 'proxies'>
  /** Images of the same build: their tags tell which suites of a package source are in use. */
  readonly images: readonly string[]
}

// The module of the go command itself: every proxy that knows the public modules has it.
const anyModule = 'golang.org/x/mod'

/**
 * Asks an endpoint, at `target` on its route, for a small part of what the build will ask there: an image's manifest, a
 * repository's refs, the index of a package source, the beginning of a file. Redirects are followed.
 */
export async function probe(
  {kind, fetcher}: Pick<Endpoint, 'kind' | 'fetcher'>,
  target: string,
  context: ProbeContext
): Promise<Finding> {
  const base = target.replace(/[?#].*$/, '').replace(/\/+$/, '')
  switch (kind) {
    case 'image':
    case 'frontend':
      return await probeImage(target, context)
    case 'git':
      return isPrefix(target) ? await probeHost(target, context) : await probeRepository(base, fetcher, context)
    case 'http':
      return isPrefix(target) ? await probeHost(target, context) : await question(target, firstBytes, partial, context)
    case 'apt':
      return await probeApt(base, context)
    case 'apk':
      return await firstGood(alpineIndexes(base, context.images), firstBytes, partial, context)
    case 'go':
      return await probeGo(base, context)
    case 'sumdb':
      return await probeSumdb(base, context)
    case 'pip':
      // A project that every index of the public packages has; an index of one's own may list others.
      return await firstGood([`${base}/pip/`, `${base}/`], {}, status(200), context)
    case 'gem':
      return await firstGood([`${base}/specs.4.8.gz`, `${base}/versions`, `${base}/`], firstBytes, partial, context)
  }
}

/** Whether only the running build knows how a URL goes on. */
function isPrefix(target: string): boolean {
  return target.endsWith('/') || target.includes('*')
}

/** Whoever answers at all may have what the build will ask for. */
async function probeHost(target: string, context: ProbeContext): Promise<Finding> {
  const anything: Check = ({status: code}) =>
    code < 500 ? {good: true, words: 'only the host was asked'} : {good: false, words: `answered ${code}`}
  return await question(target.replace(/[^/]*\*.*$/, ''), firstBytes, anything, context)
}

async function probeImage(target: string, {ask, network}: ProbeContext): Promise<Finding> {
  const mirror = network.registryMirrors.find(each => target.startsWith(`${mirrorName(each)}/`))
  const reference = parseImageReference(target)
  const base = registryApi(reference.registry, mirror?.scheme)
  const reply = await askManifest(ask, base, reference)
  return findingOf(base, reply, throughProxy(reply.url, network), answer => {
    if (answer.status === 401) return {good: true, words: 'wants a login: see `docker login`'}
    return answer.status === 200 && !isManifest(answer)
      ? {good: false, words: 'is no image registry'}
      : status(200)(answer)
  })
}

/**
 * Whether an answer is an image's manifest: JSON by its media type or its looks, or with the digest that a registry adds
 * (distribution.github.io/distribution/spec/api, "Pulling an Image Manifest").
 */
function isManifest(answer: Answered): boolean {
  const {headers, body} = answer
  if (isPage(answer)) return false
  if (headers['docker-content-digest'] !== undefined) return true
  return /\bjson\b/.test(headers['content-type'] ?? '') || body.trimStart().startsWith('{')
}

async function probeRepository(base: string, fetcher: Endpoint['fetcher'], context: ProbeContext): Promise<Finding> {
  const isRepository: Check = answer => {
    // Our own git has the token of the inputs.
    if (answer.status === 401 && fetcher === 'git') return {good: true, words: 'wants a login'}
    if (answer.status === 401)
      return {good: false, words: 'wants a login: it is private, or there is no such repository'}
    const smart = answer.headers['content-type'] === 'application/x-git-upload-pack-advertisement'
    const refs = smart || /^(?:[0-9a-f]{4}# service=git-upload-pack|[0-9a-f]{40,64}\t)/.test(answer.body)
    return answer.status === 200 && !refs ? {good: false, words: 'is no git repository'} : status(200)(answer)
  }
  const url = `${base}/info/refs?service=git-upload-pack`
  return await question(
    url,
    {headers: {'User-Agent': 'git/2 (build-moby)', 'Git-Protocol': 'version=2'}},
    isRepository,
    context
  )
}

async function probeApt(base: string, context: ProbeContext): Promise<Finding> {
  const suites = aptSuites(new URL(base).pathname, context.images)
  const isIndex: Check = answer =>
    answer.status === 200 && !/^(Origin|Label|Suite|Codename):/m.test(answer.body)
      ? {good: false, words: 'is no index of packages'}
      : status(200)(answer)
  const indexes = suites.flatMap(suite => [`${base}/dists/${suite}/InRelease`, `${base}/dists/${suite}/Release`])
  if (indexes.length > 0) return await firstGood(indexes, {}, isIndex, context)
  // Not everybody lists directories.
  return await question(`${base}/dists/`, {}, status(200, 403), context)
}

/**
 * Of a list Go goes on to the next proxy after a comma when the one before has not got the module, and after a bar
 * whatever happened (go.dev/ref/mod, GOPROXY).
 */
async function probeGo(base: string, context: ProbeContext): Promise<Finding> {
  const entries = goProxies(context.network.goProxy) ?? [{url: new URL(base).origin, lenient: false}]
  const first = entries[0]?.url ?? ''
  const path = base.startsWith(`${first}/`) ? base.slice(first.length + 1) : ''
  // A proxy may have chosen modules only.
  const knows: Check = answer =>
    path === '' && (answer.status === 404 || answer.status === 410)
      ? {good: true, words: `has not got ${anyModule}`}
      : answer.status === 200 && !isOfGoProxy(path, answer)
        ? {good: false, words: 'is no Go proxy'}
        : status(200)(answer)
  const failed: Finding[] = []
  for (const {url, lenient} of entries) {
    const finding = await question(`${url}/${path === '' ? `${anyModule}/@v/list` : path}`, {}, knows, context)
    if (isGood(finding)) return finding
    failed.push(finding)
    if (!lenient && finding.state !== 'not found') break
  }
  return failed[0] ?? {state: 'refused', detail: 'no proxy is named', asked: base}
}

/** A version is told of in JSON, versions are in a plain list (go.dev/ref/mod, "GOPROXY protocol"). */
function isOfGoProxy(path: string, answer: Answered): boolean {
  return path.endsWith('.info') ? /^\s*\{.*"Version"\s*:\s*"/s.test(answer.body) : !isPage(answer)
}

/**
 * A checksum database is asked through the Go proxy where that offers it, unless it has a URL of its own
 * (go.dev/ref/mod, "Proxying a checksum database").
 */
async function probeSumdb(base: string, context: ProbeContext): Promise<Finding> {
  const {goProxy, goSumdb = 'sum.golang.org'} = context.network
  const isDatabase: Check = answer =>
    answer.status === 200 && !answer.body.startsWith('go.sum database tree')
      ? {good: false, words: 'is no checksum database'}
      : status(200)(answer)
  const [proxy] = goSumdb.includes(' ') || goSumdb === 'sum.golang.google.cn' ? [] : (goProxies(goProxy) ?? [])
  if (proxy !== undefined) {
    const below = `${proxy.url}/sumdb/${goSumdb.replace(/\+.*$/, '')}`
    const {result} = await follow(context.ask, `${below}/supported`)
    if ('status' in result && result.status === 200) return await question(`${below}/latest`, {}, isDatabase, context)
  }
  return await question(`${base}/latest`, {}, isDatabase, context)
}

/** The proxies of a GOPROXY value, up to the first word that is no URL; undefined when there are none. */
function goProxies(goProxy: string | undefined): {readonly url: string; readonly lenient: boolean}[] | undefined {
  const entries = [...(goProxy ?? '').matchAll(/([^,|]+)([,|]?)/g)]
  const end = entries.findIndex(([, entry = '']) => !isHttpUrl(entry))
  const proxies = (end < 0 ? entries : entries.slice(0, end)).map(([, entry = '', separator]) => ({
    url: entry.replace(/\/+$/, ''),
    lenient: separator === '|'
  }))
  return proxies.length === 0 ? undefined : proxies
}

async function firstGood(
  urls: readonly string[],
  options: AskOptions,
  check: Check,
  context: ProbeContext
): Promise<Finding> {
  let first: Finding | undefined
  for (const url of urls) {
    const finding = await question(url, options, check, context)
    // Another question makes no difference to who does not answer at all.
    if (isGood(finding) || finding.reason !== undefined) return finding
    first ??= finding
  }
  return first ?? {state: 'no answer', detail: 'nothing to ask', asked: ''}
}

async function question(
  url: string,
  options: AskOptions,
  check: Check,
  {ask, network}: ProbeContext
): Promise<Finding> {
  const reply = await follow(ask, url, options)
  return findingOf(url, reply, throughProxy(reply.url, network), check)
}

function throughProxy(url: string, {proxies}: ProbeContext['network']): boolean {
  return proxyFor(url, proxies) !== undefined
}

const firstBytes: AskOptions = {headers: {Range: 'bytes=0-1023'}}

/** The answers to a request for the first bytes: some of them, all (ranges are optional), or that there are none. */
const partial: Check = answer => status(200, 206, 416)(answer)

function status(...good: readonly number[]): Check {
  return (answer: Answered) =>
    good.includes(answer.status) ? {good: true, words: ''} : {good: false, words: `answered ${answer.status}`}
}
