import {randomUUID} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile
} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import type {FileKind, Files} from '../ports.js'

/** The files of this machine; temporary directories are made below `temporaryRoot`. */
export function systemFiles(temporaryRoot: string): Files {
  return {
    async readText(path) {
      return await unlessMissing(readFile(path, 'utf8'))
    },

    readBytes(path) {
      return createReadStream(path)
    },

    async write(path, content, mode = 0o644) {
      await mkdir(dirname(path), {recursive: true})
      const partial = `${path}.${randomUUID()}.partial`
      try {
        await writeFile(partial, content, {mode})
        await chmod(partial, mode)
        await rename(partial, path)
      } catch (error) {
        await rm(partial, {force: true})
        throw error
      }
    },

    async kind(path): Promise<FileKind | undefined> {
      const status = await unlessMissing(lstat(path))
      if (status === undefined) return undefined
      if (status.isFile()) return 'file'
      if (status.isDirectory()) return 'directory'
      return status.isSymbolicLink() ? 'link' : 'other'
    },

    async list(path) {
      return ((await unlessMissing(readdir(path))) ?? []).sort()
    },

    async status(path) {
      const {size, mode} = await stat(path)
      return {size, mode: mode & 0o7777}
    },

    async resolveLinks(path) {
      return await realpath(path)
    },

    async copyFile(from, to) {
      await mkdir(dirname(to), {recursive: true})
      await copyFile(from, to)
      await chmod(to, (await stat(from)).mode & 0o7777)
    },

    async makeDirectory(path) {
      await mkdir(path, {recursive: true})
    },

    async link(target, path) {
      await symlink(target, path)
    },

    async makeTemporaryDirectory(prefix) {
      await mkdir(temporaryRoot, {recursive: true})
      return await mkdtemp(join(temporaryRoot, prefix))
    },

    async replace(from, to) {
      await mkdir(dirname(to), {recursive: true})
      await rm(to, {recursive: true, force: true})
      await rename(from, to)
    },

    async remove(path) {
      await rm(path, {recursive: true, force: true})
    }
  }
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
