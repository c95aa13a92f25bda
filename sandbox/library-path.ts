import {readdir} from 'node:fs/promises'
import {join} from 'node:path'

/**
 * What `LD_LIBRARY_PATH` must be for programs that were unpacked together with their libraries. Those of libc must not be
 * among them: they go with the machine's own dynamic linker.
 */
export async function libraryPath(directory: string): Promise<string> {
  const places = ['lib', 'usr/lib'].map(async place => {
    const names = await readdir(join(directory, place)).catch(() => [])
    return names.filter(name => name.includes('-linux-gnu')).map(name => join(directory, place, name))
  })
  return (await Promise.all(places)).flat().join(':')
}
