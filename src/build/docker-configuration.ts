import {join} from 'node:path'
import {proxySettings, type ProxySettings} from '../network/proxy.js'
import {proxySecretEnvironment} from '../recipes/step-options.js'
import type {Files} from '../ports.js'

/**
 * Gives the proxies to the build steps by a docker configuration of this run's own, from which buildx takes them as the
 * predefined build arguments (docs.docker.com/engine/cli/proxy). In a bake file or on a command line their credentials
 * would stay in buildx's records of the build. With `asSecrets` only `none` goes that way, and the proxies are in the
 * variables for a build's secrets.
 *
 * Everything else (logins, contexts, plugins, builders) stays the user's. Returns the variables that make docker use it.
 */
export async function configureDockerProxies(
  proxies: ProxySettings,
  asSecrets: boolean,
  directory: string,
  environment: Readonly<Record<string, string>>,
  files: Files
): Promise<Record<string, string>> {
  if (proxies.http === undefined && proxies.https === undefined) return {}
  const users = dockerDirectory(environment)
  const inArguments = asSecrets ? proxySettings(undefined, undefined, proxies.none) : proxies
  const configuration = withProxies((await files.readText(join(users, 'config.json'))) ?? '{}', inArguments)
  await files.write(join(directory, 'config.json'), configuration, 0o600)
  for (const part of ['cli-plugins', 'contexts', 'tls']) {
    if ((await files.kind(join(users, part))) !== undefined) await files.link(join(users, part), join(directory, part))
  }
  return {
    DOCKER_CONFIG: directory,
    BUILDX_CONFIG: buildxDirectory(environment),
    ...(asSecrets ? proxySecretEnvironment(proxies) : {})
  }
}

/** Where buildx keeps its builders and its notes of builds (docs.docker.com/build/building/variables, BUILDX_CONFIG). */
export function buildxDirectory(environment: Readonly<Record<string, string>>): string {
  return environment.BUILDX_CONFIG ?? join(dockerDirectory(environment), 'buildx')
}

function dockerDirectory({DOCKER_CONFIG, HOME}: Readonly<Record<string, string>>): string {
  return DOCKER_CONFIG ?? join(HOME ?? '/', '.docker')
}

/** A docker `config.json` with the proxies put in, for every daemon. What is no JSON object counts as empty. */
export function withProxies(configuration: string, proxies: ProxySettings): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(configuration)
  } catch {
    parsed = undefined
  }
  const settings = {
    ...(proxies.http === undefined ? {} : {httpProxy: proxies.http}),
    ...(proxies.https === undefined ? {} : {httpsProxy: proxies.https}),
    ...(proxies.none === undefined ? {} : {noProxy: proxies.none})
  }
  const users = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : {}
  return `${JSON.stringify({...users, proxies: {default: settings}}, undefined, 2)}\n`
}
