import {join} from 'node:path'
import type {Commands, Files, Log} from '../ports.js'
import {type Git, gitIn, succeed} from '../source/git.js'
import {filters} from '../source/history.js'
import {copyPacks, packDirectory, packsOf, writeEntry} from './git-entry.js'
import type {GitObjects} from './git-objects.js'

interface GatherPorts {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
}

/**
 * Fills `place` with what a fresh checkout has: the history, and of all that it leaves out the files of HEAD alone. So
 * entries do not grow with the commits that runs looked at. Works in `temporary`, and leaves the checkout as it is.
 *
 * @throws StepError
 */
export async function gatherEntry(
  objects: GitObjects,
  place: string,
  temporary: string,
  ports: GatherPorts
): Promise<void> {
  const {files} = ports
  const git = gitIn(objects.directory, objects.environment, ports)
  const own = join(git.directory, '.git')
  const configured = (await git.ask('config', '--get', 'remote.origin.partialclonefilter')).stdout.trim()
  const filter = filters.find(known => known === configured)
  const format = '--format=%(objectname) %(refname)'
  const refs = (await git.text('for-each-ref', format, 'refs/remotes/origin', 'refs/tags')).split('\n')

  const {historyPacks} = objects
  const copy = gitIn(join(temporary, 'history'), objects.environment, ports)
  const isOne = historyPacks.length === 1
  if (!isOne) await unite(copy, own, historyPacks, files)
  const history = isOne ? historyPacks : await packsOf(copy.directory, files)
  await copyPacks(history, packDirectory(isOne ? own : copy.directory), place, files)

  const gathered = filter === undefined ? [] : await filesOf(git, join(temporary, 'files'), files)
  await copyPacks(gathered, join(temporary, 'files'), place, files)
  const entry = {
    repository: objects.keys.repository,
    history,
    files: gathered,
    refs: refs.map((line): [string, string] => [line.slice(41), line.slice(0, 40)])
  }
  await writeEntry(place, {...entry, ...(filter === undefined ? {} : {filter})}, files)
}

/** Makes `copy` a bare repository with one pack of all that is in some packs of the repository `own`. */
async function unite(copy: Git, own: string, packs: readonly string[], files: Files): Promise<void> {
  await files.makeDirectory(copy.directory)
  await succeed(copy, 'init', '--quiet', '--bare')
  const place = packDirectory(copy.directory)
  await copyPacks(packs, packDirectory(own), place, files, ['pack', 'idx'])
  // Of packs from a promisor, git repacks every object; of others those only that refs lead to, and here are none.
  await succeed(copy, 'config', 'remote.origin.promisor', 'true')
  for (const pack of packs) await files.write(join(place, pack.replace(/pack$/, 'promisor')), '')
  await succeed(copy, 'repack', '-a', '-d', '--quiet')
}

/** Packs the files and directories of HEAD, as the index has them, into a directory; returns the names of the packs. */
async function filesOf(git: Git, directory: string, files: Files): Promise<readonly string[]> {
  await files.makeDirectory(directory)
  await succeed(git, 'pack-objects', '--indexed-objects', '--quiet', join(directory, 'pack'))
  return (await files.list(directory)).filter(name => name.endsWith('.pack'))
}
