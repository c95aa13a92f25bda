import type {ProxySettings} from '../network/proxy.js'
import {secretsIn} from '../network/url.js'
import {parseDockerfile} from './dockerfile.js'

/*
 * What the steps of a tree need is put into our copy of its Dockerfile as options of `RUN`. Lines keep their numbers.
 *
 * BuildKit writes the arguments of a build into its records, and removing a record leaves its bytes in free pages of the
 * database. The value of a build secret is handed to the step alone, so proxies with credentials are passed as secrets
 * that the steps find under the usual names (docs.docker.com/reference/dockerfile, RUN --mount=type=secret, `env`).
 */
const idPrefix = 'build-moby-proxy-'

interface ProxySecret {
  readonly id: string
  /** The docker client's variable that holds it. */
  readonly variable: string
  /** The variables in which a step finds it. */
  readonly names: readonly string[]
  readonly url: string
}

function proxySecrets({http, https}: ProxySettings): ProxySecret[] {
  return Object.entries({http, https}).flatMap(([scheme, url]) => {
    if (url === undefined) return []
    const name = `${scheme}_proxy`
    const variable = `BUILD_MOBY_${name.toUpperCase()}`
    return [{id: `${idPrefix}${scheme}`, variable, names: [name, name.toUpperCase()], url}]
  })
}

/** Whether one of the proxies carries credentials. */
export function haveCredentials({http, https}: ProxySettings): boolean {
  return [http, https].some(proxy => secretsIn(proxy ?? '').length > 0)
}

/** The Dockerfile with the proxies as secrets of every `RUN`. The values are not in it. */
export function withProxySecrets(dockerfile: string, proxies: ProxySettings): string {
  const mounts = proxySecrets(proxies).flatMap(({id, names}) =>
    names.map(name => `--mount=type=secret,id=${id},env=${name}`)
  )
  return withOptions(dockerfile, mounts, () => true)
}

/** The `secret` lines of a bake target for them. */
export function proxySecretLines(proxies: ProxySettings): string[] {
  return proxySecrets(proxies).map(({id, variable}) => `id=${id},env=${variable}`)
}

/** The docker client's variables that the `secret` lines name. */
export function proxySecretEnvironment(proxies: ProxySettings): Record<string, string> {
  return Object.fromEntries(proxySecrets(proxies).map(({variable, url}) => [variable, url]))
}

/**
 * The Dockerfile with the steps that begin on these lines (from 1) cut off from the network; a step that says itself which
 * network it has keeps it. Frontends know the option since 1.3 (docs.docker.com/reference/dockerfile, RUN --network).
 */
export function withoutNetwork(dockerfile: string, lines: readonly number[]): string {
  return withOptions(
    dockerfile,
    [noNetwork],
    ({line, flags}) => lines.includes(line) && !flags.some(({name}) => name === 'network')
  )
}

/** The name of a step as it is in the tree: BuildKit takes it from the Dockerfile, spaces and all. */
export function asInTree(step: string): string {
  return step.replace(new RegExp(`--mount=type=secret,id=${idPrefix}\\S+ `, 'g'), '').replace(` ${noNetwork}`, '')
}

/** Whether a step was cut off from the network by `withoutNetwork`. */
export function isCutOff(step: string): boolean {
  return step.includes(` ${noNetwork}`)
}

// The second space tells it from a tree's own.
const noNetwork = ' --network=none'

type Step = ReturnType<typeof parseDockerfile>['stages'][number]['instructions'][number]

function withOptions(dockerfile: string, options: readonly string[], wanted: (step: Step) => boolean): string {
  const lines = dockerfile.split('\n')
  for (const step of parseDockerfile(dockerfile).stages.flatMap(({instructions}) => instructions)) {
    if (step.keyword !== 'RUN' || !wanted(step)) continue
    lines[step.line - 1] = (lines[step.line - 1] ?? '').replace(/^\s*RUN\b/i, run => [run, ...options].join(' '))
  }
  return lines.join('\n')
}
