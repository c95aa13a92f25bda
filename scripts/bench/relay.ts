import {once} from 'node:events'
import {connect, createServer, type Server} from 'node:net'

/** Passes TCP connections to ports of `address` on to the same ports of 127.0.0.1. Ended by what it returns. */
export async function relayToLoopback(address: string, ports: readonly number[]): Promise<() => Promise<void>> {
  const open = new Set<Server>()
  const close = async (): Promise<void> => {
    await Promise.all(
      [...open].map(async server => {
        const closed = once(server, 'close')
        server.close()
        await closed
      })
    )
  }
  try {
    for (const port of ports) open.add(await relay(address, port))
  } catch (error) {
    await close()
    throw error
  }
  return close
}

async function relay(address: string, port: number): Promise<Server> {
  const server = createServer({allowHalfOpen: true}, outer => {
    const inner = connect({port, host: '127.0.0.1', allowHalfOpen: true})
    outer.pipe(inner).pipe(outer)
    outer.on('error', () => inner.destroy()).on('close', () => inner.destroy())
    inner.on('error', () => outer.destroy()).on('close', () => outer.destroy())
  })
  server.listen(port, address)
  await once(server, 'listening')
  return server
}
