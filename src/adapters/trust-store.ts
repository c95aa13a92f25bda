import {readFileSync} from 'node:fs'
import * as tls from 'node:tls'
import {type Environment, variable} from './environment.js'

/**
 * Makes TLS contexts that trust given PEM blocks in addition to everything this process trusts already. Without any, a
 * connection needs no context of its own: undefined. Contexts are kept, because making one takes tens of milliseconds.
 */
export function trustStore(
  environment: Environment
): (certificates: string | undefined) => tls.SecureContext | undefined {
  const contexts = new Map<string, tls.SecureContext>()
  return certificates => {
    if (certificates === undefined) return undefined
    const context =
      contexts.get(certificates) ?? tls.createSecureContext({ca: [...trustedAlready(environment), certificates]})
    contexts.set(certificates, context)
    return context
  }
}

/** An own list of authorities takes the place of Node's, and of what was added to it from outside. */
function trustedAlready(environment: Environment): readonly string[] {
  // Since Node 22.15; the default authorities are also those of the system, where Node is told to use them.
  const {rootCertificates} = tls
  const own = 'getCACertificates' in tls ? tls.getCACertificates('default') : rootCertificates
  const extra = variable(environment, 'NODE_EXTRA_CA_CERTS')
  return [...own, ...(extra === undefined ? [] : readable(extra))]
}

// Node warns of a file that it cannot read, and goes on.
function readable(path: string): string[] {
  try {
    return [readFileSync(path, 'utf8')]
  } catch {
    return []
  }
}
