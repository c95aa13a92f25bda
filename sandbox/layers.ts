import {createHash} from 'node:crypto'
import {buffer} from 'node:stream/consumers'
import {gzipSync} from 'node:zlib'
import {pack} from 'tar-stream'

/** One layer of an image, ready to be pushed (https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md). */
export interface Layer {
  readonly mediaType: string
  /** Of the compressed bytes, as `sha256:…`. */
  readonly digest: string
  /** Of the uncompressed tar, as `sha256:…`. */
  readonly diffId: string
  /** Of the compressed bytes. */
  readonly size: number
  readonly content: () => AsyncIterable<Uint8Array>
}

/** What one path of a small layer holds: a program or file, a symbolic link, or an empty directory. */
export type LayerEntry =
  | {readonly path: string; readonly content: Uint8Array | string; readonly mode: number}
  | {readonly path: string; readonly linkTo: string}
  | {readonly path: string; readonly directoryMode: number}

/** Makes a small gzip layer in memory. The same entries always give the same bytes. */
export async function smallLayer(entries: readonly LayerEntry[]): Promise<Layer> {
  const tar = await tarArchive(entries)
  const compressed = gzipSync(tar)
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(compressed),
    diffId: digestOf(tar),
    size: compressed.length,
    content: async function* () {
      yield await Promise.resolve(compressed)
    }
  }
}

/** A tar of these entries, all owned by root and from 1970. */
export async function tarArchive(entries: readonly LayerEntry[]): Promise<Buffer> {
  const archive = pack()
  for (const entry of entries) {
    const header = {name: entry.path, mtime: new Date(0)}
    if ('content' in entry) archive.entry({...header, mode: entry.mode}, Buffer.from(entry.content))
    else if ('linkTo' in entry) archive.entry({...header, type: 'symlink', linkname: entry.linkTo})
    else archive.entry({...header, type: 'directory', mode: entry.directoryMode})
  }
  archive.finalize()
  return buffer(archive)
}

/** `sha256:` and the digest in hexadecimal digits. */
export function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
