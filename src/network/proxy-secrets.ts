import {parseDockerfile} from '../recipes/dockerfile.js'
import type {ProxySettings} from './proxy.js'
import {secretsIn} from './url.js'

/*
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

/** The Dockerfile with the proxies as secrets of every `RUN`. Lines keep their numbers; the values are not in it. */
export function withProxySecrets(dockerfile: string, proxies: ProxySettings): string {
  const mounts = proxySecrets(proxies).flatMap(({id, names}) =>
    names.map(name => `--mount=type=secret,id=${id},env=${name}`)
  )
  const lines = dockerfile.split('\n')
  for (const {keyword, line} of parseDockerfile(dockerfile).stages.flatMap(({instructions}) => instructions)) {
    if (keyword !== 'RUN') continue
    lines[line - 1] = (lines[line - 1] ?? '').replace(/^\s*RUN\b/i, run => [run, ...mounts].join(' '))
  }
  return lines.join('\n')
}

/** The `secret` lines of a bake target for them. */
export function proxySecretLines(proxies: ProxySettings): string[] {
  return proxySecrets(proxies).map(({id, variable}) => `id=${id},env=${variable}`)
}

/** The docker client's variables that the `secret` lines name. */
export function proxySecretEnvironment(proxies: ProxySettings): Record<string, string> {
  return Object.fromEntries(proxySecrets(proxies).map(({variable, url}) => [variable, url]))
}

/** The name of a step as it is in the tree. */
export function withoutProxySecrets(step: string): string {
  return step.replace(new RegExp(`--mount=type=secret,id=${idPrefix}\\S+ `, 'g'), '')
}
