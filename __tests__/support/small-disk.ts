import {execFile} from 'node:child_process'
import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {describe} from '@jest/globals'

const run = promisify(execFile)

/** A file system of its own that holds `bytes`, and what unmounts it. */
export async function mountSmallDisk(path: string, bytes: number): Promise<() => Promise<void>> {
  await mkdir(path, {recursive: true})
  await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path])
  return async () => {
    await run('umount', ['--lazy', path])
  }
}

/** `describe` where file systems can be mounted; elsewhere its tests are skipped, the reason in their name. */
export async function describeWithSmallDisk(name: string, tests: () => void): Promise<void> {
  const trial = await mkdtemp(join(tmpdir(), 'small-disk-'))
  try {
    await (
      await mountSmallDisk(trial, 4096)
    )()
    describe(name, tests)
  } catch {
    describe.skip(`${name} (skipped: nothing can be mounted here)`, tests)
  } finally {
    await rm(trial, {recursive: true, force: true})
  }
}
