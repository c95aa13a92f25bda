import {type HttpServer, type HttpServerOptions, startHttpServer} from './http-server.js'

/** What a server hands out, by the path of the URL. */
export type StaticFiles = ReadonlyMap<string, Uint8Array>

/** A request handler that answers with the file of the requested path, or 404. A path that ends in a slash is HTML. */
export function serveFiles(files: StaticFiles): HttpServerOptions['handle'] {
  return (request, response) => {
    const {pathname} = new URL(request.url ?? '/', 'http://localhost')
    const content = files.get(decodeURIComponent(pathname))
    if (content === undefined) response.writeHead(404).end('not found\n')
    else {
      const type = pathname.endsWith('/') ? 'text/html; charset=utf-8' : 'application/octet-stream'
      response.writeHead(200, {'content-type': type, 'content-length': content.length}).end(content)
    }
  }
}

/** Serves these files over plain HTTP on all `addresses`. */
export async function startFileServer(options: {
  readonly addresses: readonly string[]
  readonly files: StaticFiles
  readonly log: (line: string) => void
}): Promise<HttpServer> {
  const {files, ...common} = options
  return startHttpServer({...common, handle: serveFiles(files)})
}
