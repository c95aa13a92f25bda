import {createHash} from 'node:crypto'

/** The algorithms of the sidecars that moby's own scripts write: hack/make/.binary@v20.10.27, `hash_files`. */
export const algorithms = ['md5', 'sha256'] as const

/** Checksums in lower-case hexadecimal, and the size in bytes. */
export interface Checksums {
  readonly size: number
  readonly md5: string
  readonly sha256: string
}

/** Reads all of `bytes` once. */
export async function checksums(bytes: AsyncIterable<Uint8Array>): Promise<Checksums> {
  const md5 = createHash('md5')
  const sha256 = createHash('sha256')
  let size = 0
  for await (const chunk of bytes) {
    md5.update(chunk)
    sha256.update(chunk)
    size += chunk.length
  }
  return {size, md5: md5.digest('hex'), sha256: sha256.digest('hex')}
}

/** The text of a sidecar: what md5sum and sha256sum write, and check with `-c`. */
export function sidecarText(checksum: string, name: string): string {
  return `${checksum}  ${name}\n`
}
