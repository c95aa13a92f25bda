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
  'KUBECONFIG'
] as const

/** The part of `environment` that docker may see. */
export function dockerEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of inheritedVariables) {
    const value = environment[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}
