import {createHash} from 'node:crypto'
import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'

/**
 * A digest of the program in a directory: of all its code, so that it changes with every release and every patch.
 * `directory` is that of a bundle, such as `dist/main`.
 */
export async function programDigest(directory: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(directory)).filter(each => /\.[cm]?js$/.test(each)).sort()) {
    hash.update(name).update('\0')
    hash.update(await readFile(join(directory, name)))
  }
  return `sha256:${hash.digest('hex')}`
}
