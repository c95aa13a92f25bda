/** Environment variables as the process has them; read only. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A variable's value, or undefined when it is unset or empty. */
export function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name]
  return value === '' ? undefined : value
}
