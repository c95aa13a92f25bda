import {basename, join} from 'node:path'
import {describeError} from '../errors.js'
import type {CachePorts} from './caches.js'
import {carriedZstd} from './mount-scripts.js'

/**
 * Copies this machine's zstd into a context with all that it loads, so that a step can run it whatever its image has, as
 * long as it is on the same kind of machine. Copies nothing where there is no zstd, or a static one, and never fails.
 */
export async function carryZstd(
  context: string,
  {commands, files, log}: Pick<CachePorts, 'commands' | 'files' | 'log'>
): Promise<void> {
  const found = await commands.capture(['sh', '-c', 'command -v zstd && uname -m'])
  const [program = '', machine = ''] = found.stdout.split('\n')
  if (found.exitCode !== 0) return
  const {loader, libraries} = loadedFiles((await commands.capture(['ldd', program])).stdout)
  if (loader === undefined) return
  const directory = join(context, `${carriedZstd.directory}${machine}`)
  try {
    await files.makeDirectory(directory)
    await files.copyFile(program, join(directory, carriedZstd.program))
    await files.copyFile(loader, join(directory, carriedZstd.loader))
    for (const [name, path] of libraries) await files.copyFile(path, join(directory, basename(name)))
  } catch (error) {
    log.debug(`The zstd of this machine cannot be carried into the builder: ${describeError(error)}`)
  }
}

/** What a program needs to run: what loads it, and the libraries that are loaded, by the names that it knows them by. */
export interface LoadedFiles {
  readonly loader: string | undefined
  readonly libraries: readonly (readonly [name: string, path: string])[]
}

/**
 * Reads what ldd says of a program: `<name> => <path> (0x…)` for a library; the same, or the path alone, for what loads it,
 * which glibc and musl call ld-linux-x86-64.so.2, ld-musl-x86_64.so.1, ld64.so.2 …
 */
export function loadedFiles(ldd: string): LoadedFiles {
  const loader = /(\/\S*\/ld[^/\s]*\.so[^/\s]*) \(0x/.exec(ldd)?.[1]
  const libraries = [...ldd.matchAll(/(\S+) => (\/\S+) \(0x/g)].map(([, name = '', path = '']) => [name, path] as const)
  return {loader, libraries}
}
