import {chmod, mkdir, readFile, readdir, lstat, readlink, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'

/** A small tree with what archives easily lose: an executable, links, an empty directory, a hidden file. */
export async function writeTree(directory: string, word = 'content'): Promise<void> {
  await mkdir(join(directory, 'inner', 'empty'), {recursive: true})
  await writeFile(join(directory, 'program'), `#!/bin/sh\necho ${word}\n`)
  await chmod(join(directory, 'program'), 0o755)
  await writeFile(join(directory, '.hidden'), word)
  await chmod(join(directory, '.hidden'), 0o600)
  await symlink('program', join(directory, 'link'))
  await symlink('../nowhere', join(directory, 'inner', 'dangling'))
}

/** Everything below a directory, one line each: path, kind or permission bits, and content or target. Sorted. */
export async function describeTree(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, {recursive: true}).catch(() => [])
  return await Promise.all(
    names.sort().map(async name => {
      const path = join(directory, name)
      const status = await lstat(path)
      if (status.isSymbolicLink()) return `${name} -> ${await readlink(path)}`
      if (status.isDirectory()) return `${name}/`
      return `${name} ${(status.mode & 0o7777).toString(8)} ${await readFile(path, 'utf8')}`
    })
  )
}
