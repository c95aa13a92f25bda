import {createHash, type Hash} from 'node:crypto'
import {basename, join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {createGunzip} from 'node:zlib'
import {extract} from 'tar-stream'
import {StepError} from '../errors.js'
import type {Files} from '../ports.js'
import type {BundleFile} from './gather.js'
import {algorithms, sidecarText} from './hash.js'

/** An archive as `createArchive` makes it of a bundle, and where that goes. */
export interface UnpackOrder {
  readonly path: string
  /** Of the archive itself. */
  readonly sha256: string
  /** The directory at the top of the archive. */
  readonly name: string
  /** Takes the bundle. */
  readonly directory: string
  /** What must be in it, sidecars left out. */
  readonly files: readonly BundleFile[]
}

const step = 'unpack'

/**
 * Unpacks a bundle with its sidecars, and the permission bits that its files are said to have. Everything is read once.
 *
 * @throws StepError when the archive or a file in it is not the one that is expected, or one is missing or too much,
 * or the archive cannot be read through or written. What was unpacked is then still there.
 */
export async function unpackArchive(
  {path: archive, sha256, name, directory, files: expected}: UnpackOrder,
  files: Files
): Promise<void> {
  const missing = new Map(expected.map(file => [`${name}/${file.path}`, file]))
  const sidecars = new Set(expected.flatMap(file => algorithms.map(algorithm => `${name}/${file.path}.${algorithm}`)))
  const archiveHash = createHash('sha256')
  const entries = extract()
  const unpack = async (): Promise<void> => {
    for await (const entry of entries) {
      const {name: path, type} = entry.header
      const file = missing.get(path)
      if (type === 'file' && file !== undefined) {
        missing.delete(path)
        // A tar stream is made of bytes, which its types do not say.
        await unpackFile(entry as AsyncIterable<Uint8Array>, file, directory, files)
      } else if (type === 'directory' || (type === 'file' && sidecars.delete(path))) {
        // Sidecars are written anew.
        entry.resume()
      } else {
        throw new StepError(step, `${archive} holds ${path}, which does not belong there`)
      }
    }
  }
  const reading = pipeline(hashed(files.readBytes(archive), [archiveHash]), createGunzip(), entries)
  // When one ends early the other does; whoever removes what was unpacked must not meet a file that is still written.
  const [read, unpacked] = await Promise.allSettled([reading, unpack()])
  // Who fails closes the other's stream, which then complains of that alone.
  const failures = [unpacked, read].flatMap(each => (each.status === 'rejected' ? [each.reason as unknown] : []))
  const failure = failures.find(error => error instanceof StepError) ?? failures.find(error => !isClosing(error))
  if (failure instanceof StepError) throw failure
  if (failures.length > 0) throw new StepError(step, `${archive} cannot be unpacked`, {cause: failure})
  const [first] = missing.keys()
  if (first !== undefined) throw new StepError(step, `${archive} lacks ${first}`)
  if (archiveHash.digest('hex') !== sha256) throw new StepError(step, `${archive} is not the archive that it should be`)
}

function isClosing(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'STREAM_DESTROYED' || code === 'ABORT_ERR'
}

async function unpackFile(
  bytes: AsyncIterable<Uint8Array>,
  file: BundleFile,
  directory: string,
  files: Files
): Promise<void> {
  const path = join(directory, file.path)
  const hashes = algorithms.map(algorithm => createHash(algorithm))
  await files.write(path, hashed(bytes, hashes), file.mode)
  for (const [index, algorithm] of algorithms.entries()) {
    if (hashes[index]?.digest('hex') !== file[algorithm]) {
      throw new StepError(step, `${file.path} is not the file that it should be`)
    }
    await files.write(`${path}.${algorithm}`, sidecarText(file[algorithm], basename(file.path)))
  }
}

async function* hashed(bytes: AsyncIterable<Uint8Array>, hashes: readonly Hash[]): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    for (const hash of hashes) hash.update(chunk)
    yield chunk
  }
}
