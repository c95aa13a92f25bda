/** What a program says about itself. */
export interface Stamp {
  readonly version: string
  readonly commit: string
}

// Where the linker's -X puts the stamp. moby/moby hack/make/.go-autogen@docker-v29.7.2 and @v28.5.2, docker/cli
// scripts/build/.variables@v29.7.2
const stampVariables =
  /\b(?:github\.com\/docker\/docker\/dockerversion|github\.com\/moby\/moby(?:\/v\d+)?\/dockerversion|github\.com\/docker\/cli\/cli\/version)\.(Version|GitCommit)=([^\s"']+)/g

/** The bytes that Go's build information begins with: Go's src/debug/buildinfo/buildinfo.go, `buildInfoMagic`. */
export const buildInfoMagic: Uint8Array = Buffer.from('\u00ff Go buildinf:', 'latin1')

/** More than a build information takes: a line of about 80 bytes for each module. */
export const buildInfoLimit = 1 << 20

const headerSize = 32
const inlineStrings = 2
// Go's cmd/go/internal/modload/build.go, `ModInfoData`: 16 bytes before and 16 after the text.
const markerSize = 16

/**
 * The module text of Go's build information, as Go 1.18 and newer write it into ELF and PE files alike: lines such as
 * `build\t-ldflags="…"`. `bytes` begin with the magic. Returns undefined when they are something else, for example the
 * magic as a constant of a program that reads build information itself.
 */
export function moduleText(bytes: Uint8Array): string | undefined {
  if (((bytes[buildInfoMagic.length + 1] ?? 0) & inlineStrings) === 0) return undefined
  const version = lengthPrefixed(bytes, headerSize)
  if (version === undefined || !/^(go|devel)/.test(Buffer.from(version.content).toString('latin1'))) return undefined
  const module = lengthPrefixed(bytes, version.end)?.content
  if (module === undefined || module.length < 2 * markerSize) return undefined
  return Buffer.from(module.subarray(markerSize, -markerSize)).toString('utf8')
}

/** The stamp in the `-ldflags` of a module text, or undefined when they were not recorded, as with `-trimpath`. */
export function stampOfModuleText(text: string): Stamp | undefined {
  const [, quoted] = /^build\t-ldflags=(.*)$/m.exec(text) ?? []
  if (quoted === undefined) return undefined
  const found: {Version?: string; GitCommit?: string} = {}
  // The linker takes the last of several.
  for (const [, name, value] of unquote(quoted).matchAll(stampVariables)) {
    if (name === 'Version' || name === 'GitCommit') found[name] = value ?? ''
  }
  const {Version: version, GitCommit: commit} = found
  return version === undefined || commit === undefined ? undefined : {version, commit}
}

/** What `docker --version` and `dockerd --version` print: `Docker version V, build C`. */
export function stampOfVersionOutput(text: string): Stamp | undefined {
  const [, version, commit] = /^Docker version (\S+), build (\S+)\s*$/m.exec(text) ?? []
  return version === undefined || commit === undefined ? undefined : {version, commit}
}

interface Prefixed {
  readonly content: Uint8Array
  readonly end: number
}

/** Bytes after their length, which is a base-128 number. */
function lengthPrefixed(bytes: Uint8Array, start: number): Prefixed | undefined {
  let length = 0
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[start + index]
    if (byte === undefined) return undefined
    length |= (byte & 0x7f) << (7 * index)
    if (byte >= 0x80) continue
    const begin = start + index + 1
    const end = begin + length
    return end > bytes.length ? undefined : {content: bytes.subarray(begin, end), end}
  }
  return undefined
}

/** Takes away Go's quotes, if there are any; of the escapes only those that ldflags hold in practice. */
function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1)
  if (!text.startsWith('"')) return text
  return text
    .slice(1, -1)
    .replaceAll(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/g, (_, x?: string, u?: string, c = '') => {
      const code = x ?? u
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
      return /[abfnrtv]/.test(String(c)) ? ' ' : String(c)
    })
}
