import {createHash} from 'node:crypto'
import {basename, join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {gzip as compress, gzipSync} from 'fflate'
import {pack, type Pack} from 'tar-stream'
import {StepError} from '../errors.js'
import type {Files} from '../ports.js'
import {sidecarText} from './hash.js'
import {walk} from './walk.js'

/**
 * Of fflate's levels, measured on 220 MB of programs (dockerd, containerd and node) on one core: 3 leaves 35.4 % at 32
 * MB/s, 5 leaves 35.0 % at 29 MB/s, 6 leaves 34.7 % at 23 MB/s and 9 leaves 34.6 % at 11 MB/s.
 */
const level = 5

// A gzip file is any number of members (RFC 1952, 2.2): each is made on a thread of its own. Always cut alike, so that the
// same content makes the same bytes on every machine. Every thread compiles fflate anew, 0.4 s of a processor: dockerd of
// 80 MB took 3.0 s on two processors in members of 8 MiB, takes 2.4 s in these, and becomes no larger.
const memberSize = 16 * 1024 * 1024
// As many as GitHub's runners have processors.
const threads = 4

export interface Archive {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
}

/** What to pack, and how. */
export interface ArchiveOrder {
  /** Holds files and directories, no links. */
  readonly directory: string
  /** The directory at the top of the archive. */
  readonly name: string
  /** Of the archive, ending in `.tar.gz`. */
  readonly path: string
  /** The time that every entry gets, in seconds since the epoch. */
  readonly modifiedTime: number
}

/**
 * Packs a directory into `path`, and its checksum into `path` + `.sha256`. The archive's bytes depend on nothing but the
 * names, contents and executable bits of the files, `name` and `modifiedTime`: entries are sorted, belong to user and
 * group 0 without names, and have mode 0755 (directories and executables) or 0644.
 *
 * The compressor is fflate rather than node:zlib, whose matches depend on the processor and the version of Node.js.
 *
 * @throws StepError when the directory holds anything but files and directories.
 */
export async function createArchive(order: ArchiveOrder, files: Files): Promise<Archive> {
  const {path} = order
  const hash = createHash('sha256')
  let size = 0
  const measured = async function* () {
    for await (const chunk of gzip(tar(order, files))) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await files.write(path, measured())
  const sha256 = hash.digest('hex')
  await files.write(`${path}.sha256`, sidecarText(sha256, basename(path)))
  return {path, size, sha256}
}

async function* tar(order: ArchiveOrder, files: Files): AsyncGenerator<Uint8Array> {
  const stream = pack()
  const filled = fill(stream, order, files).catch((error: unknown) => {
    stream.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  // A tar stream is made of bytes, which its types do not say.
  yield* stream as AsyncIterable<Uint8Array>
  await filled
}

async function fill(stream: Pack, {directory, name, modifiedTime}: ArchiveOrder, files: Files): Promise<void> {
  const common = {uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(modifiedTime * 1000)}
  stream.entry({...common, name: `${name}/`, type: 'directory', mode: 0o755})
  for (const {path, kind} of await walk(directory, files)) {
    const entry = `${name}/${path}`
    if (kind === 'directory') {
      stream.entry({...common, name: `${entry}/`, type: 'directory', mode: 0o755})
    } else if (kind === 'file') {
      const {size, mode} = await files.status(join(directory, path))
      const sink = stream.entry({...common, name: entry, type: 'file', size, mode: mode & 0o111 ? 0o755 : 0o644})
      await pipeline(files.readBytes(join(directory, path)), sink)
    } else {
      throw new StepError('archive', `${path} in ${directory} is neither a file nor a directory`)
    }
  }
  stream.finalize()
}

async function* gzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const members: Promise<Uint8Array>[] = []
  for await (const content of cut(bytes)) {
    const oldest = members.length === threads ? members.shift() : undefined
    if (oldest !== undefined) yield await oldest
    members.push(gzipMember(content))
  }
  for (const member of members) yield await member
}

async function gzipMember(content: Uint8Array): Promise<Uint8Array> {
  const options = {level, mtime: 0} as const
  return await new Promise<Uint8Array>((resolve, reject) => {
    compress(content, options, (error, compressed) => {
      if (error === null) resolve(compressed)
      else reject(error)
    })
    // Where there is no thread to be had; the bytes are the same.
  }).catch(() => gzipSync(content, options))
}

/** The same bytes in pieces of `memberSize`, the last one shorter. */
async function* cut(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(memberSize)
  let used = 0
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length;) {
      const part = chunk.subarray(start, start + memberSize - used)
      buffer.set(part, used)
      used += part.length
      start += part.length
      if (used === memberSize) {
        yield buffer
        buffer = new Uint8Array(memberSize)
        used = 0
      }
    }
  }
  if (used > 0) yield buffer.slice(0, used)
}
