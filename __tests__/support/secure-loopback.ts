import {createServer} from 'node:https'
import type {AddressInfo} from 'node:net'
import type {Duplex} from 'node:stream'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {type CertificateAuthority, createCertificateAuthority} from '../../sandbox/certificate-authority.js'
import type {Handler} from './loopback.js'

/** A certificate authority that only the tests know. */
export async function privateAuthority(name = 'Build Moby private authority'): Promise<CertificateAuthority> {
  const options = {cacheDirectory: sandboxCacheDirectory(process.env), log: () => undefined}
  return await createCertificateAuthority(name, options)
}

/** An HTTPS server on 127.0.0.1 with a certificate of `authority` for `name`. */
export async function serveSecurely(
  handle: Handler,
  authority: CertificateAuthority,
  name = 'localhost'
): Promise<{readonly port: number; stop(): Promise<void>}> {
  const {certificate, key} = await authority.issue([name])
  const sockets = new Set<Duplex>()
  const server = createServer({cert: certificate, key}, handle)
  server.on('connection', (socket: Duplex) => sockets.add(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is no string.
  const {port} = server.address() as AddressInfo
  return {
    port,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
