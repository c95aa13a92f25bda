/** What a failed build came to, in words for people. */
export const failureKinds = [
  'dns',
  'timeout',
  'connection refused',
  'unreachable',
  'connection lost',
  'tls',
  'plain http',
  'proxy login',
  'forbidden',
  'rate limit',
  'package gone',
  'missing',
  'server error',
  'wrong answer',
  'expired release',
  'checksum',
  'git early eof',
  'sumdb',
  'no space',
  'out of memory',
  'refused by strict',
  'no network step',
  'other'
] as const

export type FailureKind = (typeof failureKinds)[number]

/** The kinds that say that a server was not reached, or not for long enough. */
export function isConnectionFailure(kind: FailureKind): boolean {
  return ['dns', 'timeout', 'connection refused', 'unreachable', 'connection lost'].includes(kind)
}

/** Whether the same download may succeed a little later; everything else stays as it is until somebody changes it. */
export function isTransient(kind: FailureKind): boolean {
  return isConnectionFailure(kind) || ['rate limit', 'server error', 'git early eof'].includes(kind)
}

/** The kinds that have nothing to do with what was being fetched. */
export function isOfMachine(kind: FailureKind): boolean {
  return kind === 'no space' || kind === 'out of memory'
}

/** What an HTTP status means for somebody who downloads. */
export function kindOfStatus(status: number): FailureKind {
  if (status === 407) return 'proxy login'
  if (status === 429) return 'rate limit'
  if (status === 404 || status === 410) return 'missing'
  if (status >= 500) return 'server error'
  return status === 408 ? 'timeout' : 'forbidden'
}
