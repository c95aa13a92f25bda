import {createHash} from 'node:crypto'
import type {Clock, Prober} from '../ports.js'
import {type Answered, type Ask, asker, askingTwice} from './ask.js'
import {askManifest, registryApi} from './ask-registry.js'
import {isPage} from './finding.js'
import {formatImageReference, type ImageReference} from './images.js'
import type {Network} from './network.js'
import {isRouted} from './proxy.js'

/** Digests such as `sha256:…` by the full names of images (`formatImageReference`). What nobody told is not in it. */
export type ImageDigests = ReadonlyMap<string, string>

const secondsPerImage = 5

// What a prober keeps of an answer: a body of this length may go on (src/ports.ts, `Prober`).
const bodyLimit = 64 * 1024

/**
 * The digests that the registries have for images now: of the index of all platforms where there is one. Each image is
 * asked for on its mirror or else at its own registry, all at the same time and each for 5 s at most. Whoever does not
 * answer, wants a login or may not be asked under `strict` leaves its digest unknown. What is pinned to a digest is not
 * asked for. Never rejects.
 */
export async function surveyImageDigests(
  images: readonly ImageReference[],
  network: Pick<Network, 'registryMirrors' | 'proxies' | 'certificates' | 'direct' | 'strict'>,
  {prober, clock}: {readonly prober: Prober; readonly clock: Clock}
): Promise<ImageDigests> {
  const named = new Map(images.map(image => [formatImageReference(image), image]))
  const found = await Promise.all(
    [...named].map(async ([name, image]) => {
      const started = clock()
      const left = () => Math.max(1, Math.floor(started + secondsPerImage * 1000 - clock()))
      const ask = askingTwice(asker(prober, network, left))
      return [name, image.digest ?? (await digestOnRoute(image, network, ask))] as const
    })
  )
  return new Map(found.flatMap(([name, digest]) => (digest === undefined ? [] : [[name, digest]])))
}

async function digestOnRoute(
  image: ImageReference,
  {registryMirrors, proxies, direct, strict}: Pick<Network, 'registryMirrors' | 'proxies' | 'direct' | 'strict'>,
  ask: Ask
): Promise<string | undefined> {
  const mirror = registryMirrors.find(({registry}) => registry === image.registry)
  if (mirror !== undefined) {
    const repository = mirror.path === '' ? image.repository : `${mirror.path}/${image.repository}`
    return await askDigest(ask, registryApi(mirror.host, mirror.scheme), {...image, repository})
  }
  const permitted = direct.registries.includes(image.registry) || isRouted(`https://${image.registry}/`, proxies)
  return strict && !permitted ? undefined : await askDigest(ask, registryApi(image.registry), image)
}

async function askDigest(ask: Ask, base: string, image: ImageReference): Promise<string | undefined> {
  const manifest = async (part: 'head' | 'body') => {
    const {url, result} = await askManifest(ask, base, image, part)
    // Where no token is given out, the answer is another host's.
    const isManifest = 'status' in result && result.status === 200 && url.includes('/manifests/') && !isPage(result)
    return isManifest ? result : undefined
  }
  const head = await manifest('head')
  if (head === undefined) return undefined
  const digest = digestIn(head)
  if (digest !== undefined) return digest
  const body = await manifest('body')
  return body && digestIn(body)
}

/**
 * As the registry says, or of the manifest itself, whose digest it is
 * (github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md, "Pulling manifests").
 */
function digestIn({headers, body}: Answered): string | undefined {
  const said = headers['docker-content-digest']?.trim() ?? ''
  if (/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(said)) return said
  const length = Buffer.byteLength(body)
  const whole = length < bodyLimit && (headers['content-length'] ?? String(length)) === String(length)
  if (!whole || !body.startsWith('{') || headers['content-encoding'] !== undefined) return undefined
  return `sha256:${createHash('sha256').update(body).digest('hex')}`
}
