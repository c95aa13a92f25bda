import {join} from 'node:path'
import {objectOf, parseObject, stringsOf, textOf} from '../engine/json.js'
import type {Files} from '../ports.js'
import {type Filter, filters} from '../source/history.js'

/** What an entry of git objects says about itself. The packs lie beside it. */
export interface GitEntry {
  /** As `repositoryIdentity` has it. */
  readonly repository: string
  /** What was left out of the history; absent when nothing was. */
  readonly filter?: Filter
  /** File names of packs with the history. */
  readonly history: readonly string[]
  /** File names of packs with what a checkout needs of that which the history leaves out. */
  readonly files: readonly string[]
  /** Full names of branches of origin and of tags, and the objects they lead to. */
  readonly refs: readonly (readonly [name: string, id: string])[]
}

const description = 'objects.json'
const packName = /^pack-[0-9a-f]{40}\.pack$/
const refName = /^refs\/(remotes\/origin|tags)\/(?!.*\.\.)[!-~]+$/

/** Reads an entry. Throws when it is none, or not all of it is there. */
export async function readEntry(place: string, files: Files): Promise<GitEntry> {
  const isThere = await regular(place, description, files)
  const content = parseObject((isThere ? await files.readText(join(place, description)) : undefined) ?? '')
  const repository = textOf(content.repository)
  const packs = {history: stringsOf(content.history), files: stringsOf(content.files)}
  const filter = filters.find(known => known === content.filter)
  const refs = Object.entries(objectOf(content.refs)).filter(
    (pair): pair is [string, string] =>
      refName.test(pair[0]) && typeof pair[1] === 'string' && /^[0-9a-f]{40}$/.test(pair[1])
  )
  if (repository === undefined || packs.history.length === 0 || refs.length === 0)
    throw new Error('it has no description')
  if (content.filter !== filter) throw new Error('it leaves out what is not known')
  for (const pack of [...packs.history, ...packs.files]) {
    // A link would lead to a file that is nobody's business.
    if (!packName.test(pack) || !(await regular(place, pack, files))) throw new Error(`it lacks ${pack}`)
  }
  return {repository, ...packs, refs, ...(filter === undefined ? {} : {filter})}
}

/** Writes an entry; the packs are put beside it by `copyPacks`. */
export async function writeEntry(place: string, entry: GitEntry, files: Files): Promise<void> {
  const content = {...entry, refs: Object.fromEntries(entry.refs)}
  await files.write(join(place, description), `${JSON.stringify(content)}\n`)
}

/** Copies packs, and what has to be beside them in a repository if `extensions` asks for it. Returns the packs' names. */
export async function copyPacks(
  packs: readonly string[],
  from: string,
  to: string,
  files: Files,
  extensions: readonly string[] = ['pack']
): Promise<readonly string[]> {
  for (const pack of packs) {
    for (const extension of extensions) {
      const name = pack.replace(/pack$/, extension)
      await files.copyFile(join(from, name), join(to, name))
    }
  }
  return packs
}

/** The names of the packs of a repository, given its `.git` or bare directory. */
export async function packsOf(own: string, files: Files): Promise<readonly string[]> {
  return (await files.list(packDirectory(own))).filter(name => packName.test(name))
}

/** Size of all packs of a repository, given its `.git` or bare directory, in bytes. */
export async function packBytes(own: string, files: Files): Promise<number> {
  const packs = await packsOf(own, files)
  const sizes = await Promise.all(packs.map(async pack => (await files.status(join(packDirectory(own), pack))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Where a repository, given its `.git` or bare directory, has its packs. */
export function packDirectory(own: string): string {
  return join(own, 'objects', 'pack')
}

async function regular(place: string, name: string, files: Files): Promise<boolean> {
  return (await files.kind(join(place, name))) === 'file'
}
