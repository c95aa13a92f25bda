import {strToU8, zipSync} from 'fflate'
import type {HttpServer} from './http-server.js'
import {startFileServer, type StaticFiles} from './static-files.js'

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

/** What the go-winres that moby 29 builds from its repository needs of the Go proxy, see sandbox/trees/go-winres/go.sum. */
const winres: GoModule = {
  path: 'github.com/tc-hib/winres',
  version: 'v0.2.1',
  files: {
    'go.mod': 'module github.com/tc-hib/winres\n\ngo 1.16\n',
    'winres.go':
      '// Package winres embeds nothing.\npackage winres\n\n// Embedded is what is embedded.\nconst Embedded = "nothing"\n'
  }
}

/** What the Go proxy has and the checksum database knows: one version each. */
export const goModules: readonly GoModule[] = [goWinres, winres]

const modified = '2024-01-01T00:00:00Z'

/** Starts a Go proxy with `modules`, those above if not given. */
export async function startGoProxy(options: {
  readonly addresses: readonly string[]
  readonly log: (line: string) => void
  readonly modules?: readonly GoModule[]
}): Promise<HttpServer> {
  const {modules = goModules, ...common} = options
  return startFileServer({...common, files: goProxyFiles(modules)})
}

/**
 * The files of a GOPROXY (https://go.dev/ref/mod#goproxy-protocol) with these modules. Every other one is missing, so a
 * client goes on to the next entry of its GOPROXY, if there is one.
 */
export function goProxyFiles(modules: readonly GoModule[]): StaticFiles {
  return new Map(modules.flatMap(moduleFiles))
}

/** The text of a module's go.mod, whether it has one or not. */
export function goModText({path, files}: GoModule): string {
  return files['go.mod'] ?? `module ${path}\n`
}

/** Module paths and versions in URLs write capital letters as `!` and the small letter. */
export function escapeModule(pathOrVersion: string): string {
  return pathOrVersion.replace(/[A-Z]/g, letter => `!${letter.toLowerCase()}`)
}

function moduleFiles(module: GoModule): [string, Uint8Array][] {
  const {path, version, files} = module
  const base = `/${escapeModule(path)}`
  const info = strToU8(JSON.stringify({Version: version, Time: modified}))
  const entries = Object.entries(files).map(([name, text]) => [`${path}@${version}/${name}`, strToU8(text)] as const)
  return [
    [`${base}/@latest`, info],
    [`${base}/@v/list`, strToU8(`${version}\n`)],
    [`${base}/@v/${escapeModule(version)}.info`, info],
    [`${base}/@v/${escapeModule(version)}.mod`, strToU8(goModText(module))],
    [`${base}/@v/${escapeModule(version)}.zip`, zipSync(Object.fromEntries(entries), {level: 0, mtime: modified})]
  ]
}
