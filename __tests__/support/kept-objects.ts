import {mkdir, readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {systemCommands} from '../../src/adapters/commands.js'
import {folderCache} from '../../src/adapters/folder-cache.js'
import type {CacheAccount} from '../../src/cache/account.js'
import {saveGitObjects, type GitObjects} from '../../src/cache/git-objects.js'
import {acquireSource} from '../../src/source/acquire-source.js'
import type {Source, SourceRequest} from '../../src/source/source.js'
import {recordingPorts, sourceRequest} from './source-request.js'

/** One run on an empty machine, as far as git objects go. */
export interface Checkout {
  readonly source: Source
  readonly objects: GitObjects
  readonly directory: string
  readonly output: string
  /** Ends the run: keeps the objects if that is worth it. */
  readonly save: () => Promise<CacheAccount>
}

/** Runs with a cache in `<root>/cache`, each in a checkout directory of its own below `root`. */
export function keptObjects(root: string) {
  const commands = systemCommands(new AbortController().signal)
  let runs = 0
  const ports = () => {
    const recording = recordingPorts(commands)
    const limits = {maximumBytes: 1e9, maximumAgeMilliseconds: 1e9}
    return {...recording, cache: folderCache(join(root, 'cache'), limits, commands, recording.log)}
  }
  return {
    ports,

    async checkOut(ref: string, parts: Partial<SourceRequest> & Pick<SourceRequest, 'serverUrl'>): Promise<Checkout> {
      const directory = join(root, `run ${++runs}`)
      const used = ports()
      const {source, objects} = await acquireSource(sourceRequest(directory, ref, parts), used)
      if (objects === undefined) throw new Error('the run kept no account of its objects')
      return {source, objects, directory, output: used.output(), save: () => saveGitObjects(objects, used)}
    },

    /** Changes what is in the newest entry. `key` is its new name, if it gets one. */
    async tamper(change: (entry: string) => Promise<void>, key?: string): Promise<void> {
      const {cache} = ports()
      const place = join(root, 'tampered')
      const entry = await cache.restore(place, '', ['build-moby-git-'])
      if (entry === undefined) throw new Error('there is no entry')
      await rm(join(root, 'cache'), {recursive: true})
      await change(place)
      await mkdir(join(root, 'cache'))
      await cache.save(place, key ?? entry.key)
      await rm(place, {recursive: true})
    },

    async entries(): Promise<string[]> {
      return (await readdir(join(root, 'cache', 'v1')).catch(() => [])).sort()
    }
  }
}
