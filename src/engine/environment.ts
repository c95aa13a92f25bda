import {proxyEnvironment, proxySettings, type ProxySettings} from '../network/proxy.js'

/**
 * The variables that docker, buildx and their children get from the surroundings; nothing else does, because `bake` fills
 * the variables of a bake file from the environment by name (`VERSION`, `PLATFORM`, `DESTDIR`, `SYSTEMD` …, and v23 to
 * v24.0.5 of moby even `GITHUB_REF`): docs.docker.com/build/bake/variables.
 */
export const inheritedVariables = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_CERT_PATH',
  'DOCKER_TLS',
  'DOCKER_TLS_VERIFY',
  'DOCKER_API_VERSION',
  'BUILDX_BUILDER',
  'BUILDX_CONFIG',
  'KUBECONFIG',
  // What credential helpers of `docker login` ask for.
  'DOCKER_AUTH_CONFIG',
  'DBUS_SESSION_BUS_ADDRESS',
  'GNUPGHOME',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE'
] as const

/**
 * What the docker client needs to get out by itself: buildx fetches the tokens of registries, and not the builder
 * (docker/buildx, session/auth). Only with the drivers whose builder it reaches by way of a docker daemon, because a remote
 * one would be dialled through the proxy, too. `certificateFile` holds all authorities to trust.
 */
export function clientRoutes(
  driver: string,
  environment: Readonly<Record<string, string>>,
  {http, https, none}: ProxySettings,
  certificateFile: string | undefined
): Record<string, string> {
  if (driver !== 'docker' && driver !== 'docker-container') return {}
  const [, address, name] = /^tcp:\/\/(?:\[([^\]]+)\]|([^/:]+))/.exec(environment.DOCKER_HOST ?? '') ?? []
  const excepted = [none, address ?? name].filter(part => part !== undefined && part !== '').join(',')
  return {
    ...proxyEnvironment(proxySettings(http, https, excepted === '' ? undefined : excepted)),
    ...(certificateFile === undefined ? {} : {SSL_CERT_FILE: certificateFile})
  }
}

/** The part of `environment` that docker may see; `more` are variables that it needs for once. */
export function dockerEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  more: readonly string[] = []
): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of [...inheritedVariables, ...more]) {
    const value = environment[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}
