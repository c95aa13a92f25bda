import {readdir, readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

export interface TreeFile {
  readonly content: string
  readonly executable: boolean
}

/** The files of one commit by path. */
export type Tree = ReadonlyMap<string, TreeFile>

/** A tree of plain files, given by path and content. */
export function tree(contents: Readonly<Record<string, string>>): Tree {
  return new Map(Object.entries(contents).map(([path, content]) => [path, {content, executable: false}]))
}

/** Reads the tree that is kept as `sandbox/trees/<name>`. */
export async function readTree(name: string): Promise<Tree> {
  const directory = fileURLToPath(new URL(`trees/${name}`, import.meta.url))
  const files: [string, TreeFile][] = []
  for (const path of (await readdir(directory, {recursive: true})).sort()) {
    const file = join(directory, path)
    const status = await stat(file)
    if (!status.isFile()) continue
    files.push([path, {content: await readFile(file, 'utf8'), executable: (status.mode & 0o100) !== 0}])
  }
  return new Map(files)
}

/** The files of `base` with those of `changes` put over them. */
export function overlay(base: Tree, changes: Tree): Tree {
  return new Map([...base, ...changes])
}

/** The same files with `from` replaced by `to` everywhere in their contents. */
export function renameInTree(files: Tree, from: string, to: string): Tree {
  const renamed = [...files].map(
    ([path, file]) => [path, {...file, content: file.content.replaceAll(from, to)}] as const
  )
  return new Map(renamed)
}
