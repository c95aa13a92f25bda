import {randomUUID} from 'node:crypto'
import {constants} from 'node:fs'
import {chmod, copyFile, mkdir, realpath, rename, rm, stat} from 'node:fs/promises'
import {basename, join} from 'node:path'
import type {ArtifactStore} from '../ports.js'

/**
 * Artifacts in a folder: the files are copied into `directory` under their own names and with their permission bits, each
 * replacing an older file at once. A file that lies there already is its own artifact. Artifact names and transport
 * options have no meaning here.
 */
export function folderArtifacts(directory: string): ArtifactStore {
  return {
    location: directory,

    async publish(_name, files) {
      await mkdir(directory, {recursive: true})
      for (const file of files) {
        const target = join(directory, basename(file))
        const source = await realpath(file)
        if ((await realpath(target).catch(() => undefined)) === source) continue
        const partial = `${target}.${randomUUID()}.partial`
        try {
          await copyFile(source, partial, constants.COPYFILE_FICLONE)
          await chmod(partial, (await stat(source)).mode & 0o7777)
          await rename(partial, target)
        } finally {
          await rm(partial, {force: true})
        }
      }
      return {url: directory}
    }
  }
}
