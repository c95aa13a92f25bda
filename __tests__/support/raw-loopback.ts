import {createServer, type AddressInfo, type Socket} from 'node:net'

/** A TCP server on 127.0.0.1 that does with each connection what `handle` does; nothing, and nobody ever answers. */
export async function serveRaw(handle: (socket: Socket) => void = () => undefined): Promise<{
  /** `127.0.0.1:port` */
  readonly host: string
  /** Connections that are open at the moment. */
  open(): number
  stop(): Promise<void>
}> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    // Who reads nothing does not notice that the other end has gone.
    socket.resume()
    handle(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  // A TCP server's address is no string.
  const {port} = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    open: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
