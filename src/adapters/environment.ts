/** Environment variables as the process has them; read only. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A variable's value, or undefined when it is unset or empty. */
export function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name]
  return value === '' ? undefined : value
}

/**
 * Whether the runner belongs to a GitHub Enterprise Server, by the rule of GitHub's own libraries (@actions/cache 6.3.0,
 * src/internal/config.ts, and @actions/artifact 6.2.1, src/internal/shared/config.ts; isGhes).
 */
export function onEnterpriseServer(environment: Environment): boolean {
  const host = new URL(variable(environment, 'GITHUB_SERVER_URL') ?? 'https://github.com').hostname
  return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost')
}
