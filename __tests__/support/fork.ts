import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {git} from './bare-repository.js'

/**
 * Makes a fork in the new directory `work`: a clone of the bare repository `upstream`, with one commit on top of `ref`, on
 * the branch `fork`, in which `from` is replaced by `to` in the file `path`. Returns the commit's id.
 */
export async function makeFork(
  work: string,
  upstream: string,
  ref: string,
  {path, from, to}: {readonly path: string; readonly from: string; readonly to: string}
): Promise<string> {
  await git('clone', '--quiet', '--no-checkout', upstream, work)
  await git('-C', work, 'checkout', '--quiet', '-b', 'fork', ref)
  const text = await readFile(join(work, path), 'utf8')
  if (!text.includes(from)) throw new Error(`${path} at ${ref} has no ${from}`)
  await writeFile(
    join(work, path),
    text.replace(from, () => to)
  )
  await git('-C', work, 'commit', '--quiet', '--all', '--message', `Change ${path}`)
  return git('-C', work, 'rev-parse', 'HEAD')
}
