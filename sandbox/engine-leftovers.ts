import {readdir, readFile, rm, rmdir} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {engineNetworks, makerOf, removeEngineNetwork} from './engine-network.js'

/** Removes what engines have left behind whose starting process has died. */
export async function removeLeftovers(): Promise<void> {
  for (const namespace of await engineNetworks()) {
    if (!isRunning(makerOf(namespace))) await removeEngineNetwork(namespace)
  }
  for (const name of await readdir(tmpdir())) {
    const [, namespace] = directoryPattern.exec(name) ?? []
    if (namespace !== undefined && !isRunning(makerOf(namespace))) await removeDirectory(join(tmpdir(), name))
  }
}

/** The namespace and something random. */
const directoryPattern = /^(build-moby-\d+-\d+)-\w+$/

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Removes an engine's directory, and the control groups that it has made; all of its processes must have ended. */
export async function removeDirectory(directory: string): Promise<void> {
  const namespace = basename(directory).replace(directoryPattern, '$1')
  const containers = await readdir(join(directory, 'data/containers')).catch(() => [])
  // buildx names this group for its builders' containers, whatever the engine's own is.
  const groups = [namespace, ...containers.map(id => `docker/buildx/${id}`)]
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  for (const [, hierarchy = ''] of mounts.matchAll(/^\S+ (\S+) cgroup2? /gm)) {
    for (const group of groups) await removeControlGroup(join(hierarchy, group))
  }
  await rm(directory, {recursive: true, force: true, maxRetries: 5})
}

/** The files of a control group cannot be removed, and go with it. Waits a second for processes that are about to end. */
async function removeControlGroup(group: string): Promise<void> {
  const entries = await readdir(group, {withFileTypes: true}).catch(() => undefined)
  if (entries === undefined) return
  for (const entry of entries) if (entry.isDirectory()) await removeControlGroup(join(group, entry.name))
  for (let attempt = 0; attempt < 50; attempt++) {
    const removed = await rmdir(group).then(
      () => true,
      (error: unknown) => typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'
    )
    if (removed) return
    await setTimeout(20)
  }
}
