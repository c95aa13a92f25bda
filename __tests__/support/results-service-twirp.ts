import type {Identity} from './results-service-token.js'

/** The fields of a request or an answer, in JSON. */
export type Fields = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly body: Fields
}

export type Method = (identity: Identity, request: Fields) => Answer | Promise<Answer>

export function success(body: Fields): Answer {
  return {status: 200, body}
}

const statuses = {invalid_argument: 400, permission_denied: 403, not_found: 404, already_exists: 409} as const

/** Twirp's way to refuse: https://twitchtv.github.io/twirp/docs/spec_v7.html#error-codes */
export function refusal(code: keyof typeof statuses, msg: string): Answer {
  return {status: statuses[code], body: {code, msg}}
}

/** A text or 64-bit number field, whose name is given in snake_case; '' when it is absent. */
export function textField(request: Fields, name: string): string {
  const value = field(request, name)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** A list of texts; empty when it is absent. */
export function textsField(request: Fields, name: string): readonly string[] {
  const value = field(request, name)
  return Array.isArray(value) ? value.map(String) : []
}

// Protobuf's JSON form allows both spellings.
function field(request: Fields, name: string): unknown {
  return request[name] ?? request[name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())]
}
