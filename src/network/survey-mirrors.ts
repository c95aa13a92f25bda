import {ConfigurationError} from '../errors.js'
import type {Log, Prober, ProbeResult} from '../ports.js'
import {type Ask, asker, type AskSettings, mayPass} from './ask.js'
import {askManifest} from './ask-registry.js'
import {isPage} from './finding.js'
import {formatImageReference, type ImageReference} from './images.js'
import type {DirectPermissions, ReachableMirror, RegistryMirror} from './network.js'
import {isLoopbackHost} from './proxy.js'
import {mirrorName} from './source-policy.js'

const probeTimeoutMilliseconds = 10_000

/**
 * Asks the mirrors of each registry in the order given and keeps the first that speaks the registry API
 * (distribution.github.io/distribution/spec/api, `GET /v2/`). One that does not is skipped with a warning. Where none
 * does, those that may just have been out of reach are asked once more; then the registry itself is left, if the user
 * has permitted that.
 *
 * @throws ConfigurationError when none of a registry's mirrors answers, with what each of them said.
 */
export async function surveyMirrors(
  mirrors: readonly RegistryMirror[],
  settings: AskSettings & {readonly direct: Pick<DirectPermissions, 'registries'>},
  {prober, log}: {readonly prober: Prober; readonly log: Log}
): Promise<readonly ReachableMirror[]> {
  const ask = asker(prober, settings, () => probeTimeoutMilliseconds)
  const reachable = []
  for (const registry of new Set(mirrors.map(mirror => mirror.registry))) {
    const candidates = mirrors.filter(mirror => mirror.registry === registry)
    const {found, failures} = await firstReachable(candidates, ask)
    const direct = settings.direct.registries.includes(registry)
    if (found === undefined && !direct) {
      throw new ConfigurationError(
        `no mirror of ${registry} answers as an image registry:\n${failures.map(line => `  - ${line}`).join('\n')}\nCorrect the lines of 'registry-mirrors' that begin with ${registry}=, or the 'mirror-preset' that they come from, or the proxy inputs if the mirror is behind one.`
      )
    }
    for (const failure of failures) log.warning(`Skipped a mirror of ${registry} from 'registry-mirrors': ${failure}`)
    if (found !== undefined) reachable.push(found)
    else
      log.warning(`No mirror of ${registry} answers, so its images come from ${registry} itself (${registry}=direct).`)
  }
  return reachable
}

async function firstReachable(
  candidates: readonly RegistryMirror[],
  ask: Ask
): Promise<{readonly found?: ReachableMirror; readonly failures: readonly string[]}> {
  const failures = new Map<RegistryMirror, string>()
  let untried = candidates
  for (let attempt = 1; attempt <= 2; attempt++) {
    const again: RegistryMirror[] = []
    for (const mirror of untried) {
      const answer = await askMirror(mirror, ask)
      if ('scheme' in answer) {
        failures.delete(mirror)
        return {found: answer, failures: [...failures.values()]}
      }
      failures.set(mirror, `${mirrorName(mirror)}: ${answer.failure}`)
      if (answer.mayPass) again.push(mirror)
    }
    untried = again
  }
  return {failures: [...failures.values()]}
}

async function askMirror(
  mirror: RegistryMirror,
  ask: Ask
): Promise<ReachableMirror | {readonly failure: string; readonly mayPass: boolean}> {
  const schemes = mirror.scheme === undefined ? (['https', 'http'] as const) : [mirror.scheme]
  const results: ProbeResult[] = []
  const failures = []
  for (const scheme of isLoopbackHost(mirror.host.replace(/:\d+$/, '')) ? schemes.toReversed() : schemes) {
    const result = await ask(`${scheme}://${mirror.host}/v2/`)
    const page = 'status' in result && result.status === 200 && isPage(result)
    // 401 is how a registry that wants a login greets.
    if ('status' in result && !page && (result.status === 200 || result.status === 401)) return {...mirror, scheme}
    results.push(result)
    const answer = 'failure' in result ? '' : page ? 'is a web page and no registry' : `answered ${result.status}`
    failures.push('failure' in result ? result.failure : `${scheme}://${mirror.host}/v2/ ${answer}`)
  }
  return {failure: [...new Set(failures)].join('; '), mayPass: results.some(mayPass)}
}

/** Whether the mirror has an image; undefined when it does not say (it wants a login, or fails). */
export async function mirrorHasImage(
  mirror: ReachableMirror,
  image: ImageReference,
  settings: AskSettings,
  prober: Prober
): Promise<boolean | undefined> {
  const ask = asker(prober, settings, () => probeTimeoutMilliseconds)
  const base = `${mirror.scheme}://${mirror.host}/v2`
  const repository = mirror.path === '' ? image.repository : `${mirror.path}/${image.repository}`
  const {url, result} = await askManifest(ask, base, {...image, repository})
  // Another host answers for the tokens only.
  if ('failure' in result || !url.includes('/manifests/')) return undefined
  if (result.status === 200) return isPage(result) ? undefined : true
  return result.status === 404 ? false : undefined
}

/** The image as it is named on its mirror, for a message. */
export function mirroredName(mirror: RegistryMirror, image: ImageReference): string {
  return formatImageReference({...image, registry: mirrorName(mirror)})
}
