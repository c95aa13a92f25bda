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
  await mkdir(dirname(target), {recursive: true})
  await mkdir(fresh)
  try {
    const value = await fill(fresh)
    if (value === undefined) return undefined
    await rm(target, {recursive: true, force: true})
    await rename(fresh, target)
    return value
  } finally {
    await rm(fresh, {recursive: true, force: true})
  }
}
