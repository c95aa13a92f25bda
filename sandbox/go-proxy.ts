import {strToU8, zipSync} from 'fflate'
import {type HttpServer, startHttpServer} from './http-server.js'

/** One version of a Go module. */
export interface GoModule {
  /** The module's path, for example `github.com/tc-hib/go-winres`. */
  readonly path: string
  /** Its version, for example `v0.3.1`. */
  readonly version: string
  /** Its files by path, `go.mod` among them. */
  readonly files: Readonly<Record<string, string>>
}

/** Stand-in for the only Go program that moby's build installs on every run (`go install …/go-winres@v0.3.1`). */
const goWinres: GoModule = {
  path: 'github.com/tc-hib/go-winres',
  version: 'v0.3.1',
  files: {
    'go.mod': 'module github.com/tc-hib/go-winres\n\ngo 1.16\n',
    'main.go': `package main

import "fmt"

func main() {
	fmt.Println("go-winres: a stand-in that embeds nothing")
}
`
  }
}

const modified = '2024-01-01T00:00:00Z'

/**
 * Serves Go modules as a GOPROXY (https://go.dev/ref/mod#goproxy-protocol). Every other module is answered 404, so a
 * client goes on to the next entry of its GOPROXY, if there is one. No checksum database: use GOSUMDB=off.
 */
export async function startGoProxy(options: {
  readonly addresses: readonly string[]
  readonly log: (line: string) => void
  /** One version each; the stand-in for go-winres if not given. */
  readonly modules?: readonly GoModule[]
}): Promise<HttpServer> {
  const {addresses, log, modules = [goWinres]} = options
  const files = new Map(modules.flatMap(moduleFiles))
  return startHttpServer({
    addresses,
    log,
    handle: (request, response) => {
      const content = files.get(new URL(request.url ?? '/', 'http://localhost').pathname)
      if (content === undefined) response.writeHead(404).end('not found: module unknown\n')
      else response.writeHead(200, {'content-length': content.length}).end(content)
    }
  })
}

function moduleFiles({path, version, files}: GoModule): [string, Uint8Array][] {
  const base = `/${escapePath(path)}`
  const info = strToU8(JSON.stringify({Version: version, Time: modified}))
  const entries = Object.entries(files).map(([name, text]) => [`${path}@${version}/${name}`, strToU8(text)] as const)
  return [
    [`${base}/@latest`, info],
    [`${base}/@v/list`, strToU8(`${version}\n`)],
    [`${base}/@v/${version}.info`, info],
    [`${base}/@v/${version}.mod`, strToU8(files['go.mod'] ?? `module ${path}\n`)],
    [`${base}/@v/${version}.zip`, zipSync(Object.fromEntries(entries), {level: 0, mtime: modified})]
  ]
}

/** Module paths in proxy URLs write capital letters as `!` and the small letter. */
function escapePath(path: string): string {
  return path.replace(/[A-Z]/g, letter => `!${letter.toLowerCase()}`)
}
