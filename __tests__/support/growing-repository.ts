import {createHash} from 'node:crypto'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {git} from './engine-repository.js'

/** A bare repository that grows as a project does. */
export interface GrowingRepository {
  /** Adds a commit to master that changes one file of about `bytes`, and returns its id. */
  readonly grow: (bytes: number) => Promise<string>
}

/** Makes `<root>/moby/moby.git` with one commit on master, of four files that have about `bytes` together. */
export async function makeGrowingRepository(root: string, bytes: number): Promise<GrowingRepository> {
  const work = join(root, 'moby', 'work')
  const bare = join(root, 'moby', 'moby.git')
  await mkdir(work, {recursive: true})
  await git(work, 'init', '--quiet')
  let commits = 0
  const commit = async () => {
    await git(work, 'add', '.')
    await git(work, 'commit', '--quiet', '--message', `commit ${commits}`)
    return await git(work, 'rev-parse', 'HEAD')
  }
  for (const name of ['0', '1', '2', '3']) await writeFile(join(work, name), noise(name, bytes / 4))
  await commit()
  await git(root, 'clone', '--quiet', '--bare', work, bare)
  return {
    grow: async size => {
      commits++
      await writeFile(join(work, `part ${commits % 3}`), noise(`commit ${commits}`, size))
      const id = await commit()
      await git(work, 'push', '--quiet', bare, 'master')
      return id
    }
  }
}

/** Bytes that cannot be compressed, and are the same every time. */
function noise(seed: string, bytes: number): Buffer {
  const parts = Array.from({length: Math.ceil(bytes / 32)}, (_, index) =>
    createHash('sha256').update(`${seed} ${index}`).digest()
  )
  return Buffer.concat(parts)
}
