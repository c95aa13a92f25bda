/** A text as a JSON object; empty when it is anything else. */
export function parseObject(json: string): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(json))
  } catch {
    return {}
  }
}

/** The value if it is an object, else an empty one. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? {...value} : {}
}

/** The strings in a list; none when it is no list. */
export function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(part => typeof part === 'string') : []
}

/** The value if it is a string with anything in it. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}
