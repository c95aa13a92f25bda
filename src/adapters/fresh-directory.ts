import {randomUUID} from 'node:crypto'
import {mkdir, rename, rm} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'

/**
 * Replaces `directory` at once or not at all. `fill` works in a fresh directory beside it, which takes its place when
 * `fill` returns a value, and is removed when `fill` returns undefined or rejects. Returns or rejects as `fill` does.
 */
export async function fillDirectory<T>(
  directory: string,
  fill: (fresh: string) => Promise<T | undefined>
): Promise<T | undefined> {
  const target = resolve(directory)
  const fresh = `${target}.${randomUUID()}.partial`
  const former = `${target}.${randomUUID()}.former`
  await mkdir(dirname(target), {recursive: true})
  await mkdir(fresh)
  try {
    const value = await fill(fresh)
    if (value === undefined) return undefined
    const replaces = await rename(target, former).then(
      () => true,
      (error: unknown) => {
        if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return false
        throw error
      }
    )
    try {
      await rename(fresh, target)
    } catch (error) {
      if (replaces) await rename(former, target)
      throw error
    }
    return value
  } finally {
    for (const path of [fresh, former]) await rm(path, {recursive: true, force: true})
  }
}
