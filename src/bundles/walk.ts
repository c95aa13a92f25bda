import {join} from 'node:path'
import type {FileKind, Files} from '../ports.js'

/** What is at one path below a directory. */
export interface Item {
  /** Relative, with `/` between names. */
  readonly path: string
  readonly kind: FileKind
}

/** Everything below `directory`, itself excluded; links are not followed. Sorted by path. */
export async function walk(directory: string, files: Files): Promise<readonly Item[]> {
  const items: Item[] = []
  const visit = async (parent: string) => {
    for (const name of await files.list(join(directory, parent))) {
      const path = parent === '' ? name : `${parent}/${name}`
      const kind = await files.kind(join(directory, path))
      if (kind === undefined) continue
      items.push({path, kind})
      if (kind === 'directory') await visit(path)
    }
  }
  await visit('')
  // By code units, so that the order is the same in every locale.
  return items.sort((one, other) => (one.path < other.path ? -1 : 1))
}
