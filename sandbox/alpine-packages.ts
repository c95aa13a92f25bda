import {gzipSync} from 'node:zlib'
import {tarArchive} from './layers.js'
import type {StaticFiles} from './static-files.js'

/** The Alpine release of the stand-in image and of the packages. */
export const alpineRelease = '3.21'

interface AlpinePackage {
  readonly name: string
  readonly version: string
  /** Where its one file goes, without the leading slash, and what it says. */
  readonly path: string
  readonly content: string
}

/** Stand-ins for what docker/cli installs. The first two are programs. */
const packages: readonly AlpinePackage[] = [
  {name: 'bash', version: '5.2.37-r0', path: 'bin/bash', content: '#!/bin/sh\nexec /bin/sh "$@"\n'},
  {name: 'file', version: '5.46-r2', path: 'usr/bin/file', content: '#!/bin/sh\necho "$1: data"\n'},
  {name: 'musl-dev', version: '1.2.5-r11', path: 'usr/share/musl-dev', content: 'a stand-in\n'}
]

/**
 * The files of an Alpine mirror, `alpine/` and what is below it, for this machine's own architecture
 * (https://wiki.alpinelinux.org/wiki/Apk_spec). Indexes and packages have no signatures.
 */
export async function alpineFiles(): Promise<StaticFiles> {
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const directory = (repository: string): string => `/alpine/v${alpineRelease}/${repository}/${architecture}`
  const files = new Map<string, Uint8Array>()
  const index = packages.map(({name, version}) => `P:${name}\nV:${version}\nA:${architecture}\n\n`).join('')
  for (const [repository, text] of [
    ['main', index],
    ['community', '']
  ] as const) {
    files.set(`${directory(repository)}/APKINDEX.tar.gz`, await compressed([{path: 'APKINDEX', text, mode: 0o644}]))
  }
  for (const {name, version, path, content} of packages) {
    const information = `pkgname = ${name}\npkgver = ${version}\narch = ${architecture}\n`
    const entries = [
      {path: '.PKGINFO', text: information, mode: 0o644},
      {path, text: content, mode: 0o755}
    ]
    files.set(`${directory('main')}/${name}-${version}.apk`, await compressed(entries))
  }
  return files
}

async function compressed(
  entries: readonly {readonly path: string; readonly text: string; readonly mode: number}[]
): Promise<Buffer> {
  return gzipSync(await tarArchive(entries.map(({text: content, ...entry}) => ({...entry, content}))))
}
