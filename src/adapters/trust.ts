import {readFile} from 'node:fs/promises'
import tls from 'node:tls'
import type {Trust} from '../ports.js'
import type {Environment} from './environment.js'
import {variable} from './environment.js'

// Debian and Alpine, Red Hat, SUSE.
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem'
]

/** Trusts, besides what is added, what this machine trusts. */
export function processTrust(environment: Environment): Trust {
  return {
    async add(certificates) {
      const all = [...(await machineCertificates(environment)), certificates]
      // Node 22.19 and 24.5 or newer; before that only requests that name the certificates trust them.
      if ('setDefaultCACertificates' in tls) tls.setDefaultCACertificates(all)
      return all.join('\n')
    }
  }
}

async function machineCertificates(environment: Environment): Promise<readonly string[]> {
  for (const path of [variable(environment, 'SSL_CERT_FILE'), ...systemBundles]) {
    const bundle = path === undefined ? undefined : await readFile(path, 'utf8').catch(() => undefined)
    if (bundle?.includes('-----BEGIN CERTIFICATE-----') === true) return [bundle, ...(await extra(environment))]
  }
  return [...tls.rootCertificates, ...(await extra(environment))]
}

async function extra(environment: Environment): Promise<readonly string[]> {
  const path = variable(environment, 'NODE_EXTRA_CA_CERTS')
  const bundle = path === undefined ? undefined : await readFile(path, 'utf8').catch(() => undefined)
  return bundle === undefined ? [] : [bundle]
}
