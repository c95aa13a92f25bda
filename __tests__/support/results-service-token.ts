import {createHmac, randomBytes} from 'node:crypto'

/** A cache scope of a run: a ref, and whether the run may also write there. */
export interface Scope {
  readonly ref: string
  readonly writable: boolean
}

/** Whom a runtime token speaks for. */
export interface Identity {
  /** The run's and the job's ids at the service, not those of the page. */
  readonly run: string
  readonly job: string
  /** In the order in which they are searched. */
  readonly scopes: readonly Scope[]
}

const permissions = {read: 1, readAndWrite: 3}

/**
 * Issues and recognises `ACTIONS_RUNTIME_TOKEN`s: JWTs with the claims that @actions/artifact (`scp`) and BuildKit
 * (`ac`, `exp`, `nbf`) read from them.
 */
export function tokenIssuer(): {issue(identity: Identity): string; identify(token: string): Identity | undefined} {
  const key = randomBytes(32)
  const issued = new Map<string, Identity>()
  return {
    issue(identity) {
      const now = Math.floor(Date.now() / 1000)
      const access = identity.scopes.map(({ref, writable}) => ({
        Scope: ref,
        Permission: writable ? permissions.readAndWrite : permissions.read
      }))
      const claims = {
        scp: `Actions.GenericRead:0000 Actions.Results:${identity.run}:${identity.job}`,
        ac: JSON.stringify(access),
        nbf: now - 60,
        exp: now + 6 * 60 * 60
      }
      const parts = [{alg: 'HS256', typ: 'JWT'}, claims].map(part =>
        Buffer.from(JSON.stringify(part)).toString('base64url')
      )
      const signed = parts.join('.')
      const token = `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
      issued.set(token, identity)
      return token
    },
    identify(token) {
      return issued.get(token)
    }
  }
}
