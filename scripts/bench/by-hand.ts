import {mkdir, mkdtemp, readdir, rename, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import type {PlannedBuild} from '../../src/plan/plan.js'
import {command, timed} from './commands.js'
import type {FreshEngine} from './fresh-engine.js'
import type {Measurement} from './measurement.js'
import {type PreparedRef, relocatedBuild} from './prepared-ref.js'

/** `docker buildx bake` on a checkout that is there, with the same override file as ours: mirrors, stamp, arguments. */
export async function bareBake(prepared: PreparedRef, engine: FreshEngine): Promise<Measurement> {
  return await inDirectory(async directory => {
    const build = relocatedBuild(prepared, prepared.checkout, directory)
    await writeFiles(build)
    const {seconds} = await timed(() => bake(build, engine, []))
    return {seconds, phases: {bake: seconds}}
  })
}

/**
 * A workflow made of what there is (actions/checkout with its defaults, docker/bake-action, and with `store`
 * actions/cache), after docs.docker.com/build/ci/github-actions/cache#local-cache: the cache of all layers restored, swapped for
 * the new one, and saved unless the commit's own was found. The store is a folder of archives by tar and zstd, like ours.
 */
export async function peerWorkflow(
  prepared: PreparedRef,
  repositoryUrl: string,
  engine: FreshEngine,
  store?: string
): Promise<Measurement> {
  return await inDirectory(async directory => {
    const checkout = join(directory, 'moby')
    const build = relocatedBuild(prepared, checkout, join(directory, 'work'))
    await writeFiles(build)
    const old = join(directory, 'buildx-cache')
    const fresh = join(directory, 'buildx-cache-new')
    const target = build.command.at(-1) ?? ''
    const caching = [
      ...[`--allow=fs.read=${old}`, `--allow=fs.write=${fresh}`],
      `--set=${target}.cache-from=type=local,src=${old}`,
      `--set=${target}.cache-to=type=local,dest=${fresh},mode=max`
    ]
    const {seconds, value: phases} = await timed(async () => {
      const checkoutTime = await timed(() => shallowCheckout(build, repositoryUrl, checkout))
      if (store === undefined) {
        const baked = await timed(() => bake(build, engine, []))
        return {checkout: checkoutTime.seconds, bake: baked.seconds}
      }
      const restored = await timed(() => restore(store, build.source.commit, old))
      const baked = await timed(() => bake(build, engine, caching))
      const saved = await timed(async () => {
        if (restored.value !== 'exact') await save(store, build.source.commit, fresh)
      })
      return {
        checkout: checkoutTime.seconds,
        restore: restored.seconds,
        bake: baked.seconds,
        save: saved.seconds
      }
    })
    return {seconds, phases}
  })
}

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'build-moby-bench-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

async function writeFiles({files, exportDirectory}: PlannedBuild): Promise<void> {
  for (const {path, content} of files) {
    await mkdir(dirname(path), {recursive: true})
    await writeFile(path, content)
  }
  await mkdir(join(exportDirectory, '..', 'empty'), {recursive: true})
}

async function bake(build: PlannedBuild, engine: FreshEngine, more: readonly string[]): Promise<void> {
  const argv = [...build.command.slice(0, -1), ...more, ...build.command.slice(-1)]
  const environment = {...engine.environment, ...build.environment}
  await command(argv, {directory: build.workingDirectory, environment})
}

/** What actions/checkout does unless told otherwise: one commit, no tags. */
async function shallowCheckout({source}: PlannedBuild, url: string, directory: string): Promise<void> {
  const environment = {PATH: process.env.PATH ?? '', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null'}
  const git = (...words: readonly string[]) => command(['git', ...words], {directory, environment})
  await mkdir(directory)
  await git('init', '--quiet')
  await git('remote', 'add', 'origin', url)
  const fetch = ['-c', 'protocol.version=2', 'fetch', '--no-tags', '--prune', '--no-recurse-submodules', '--depth=1']
  await git(...fetch, '--quiet', 'origin', `+${source.ref.fullName}:refs/remotes/origin/build`)
  await git('checkout', '--quiet', '--force', 'refs/remotes/origin/build')
}

const extension = '.tar.zst'

/** Fills `directory` with the commit's own entry or the newest one; leaves it empty when there is none. */
async function restore(store: string, commit: string, directory: string): Promise<'exact' | 'older' | 'nothing'> {
  await mkdir(directory)
  const names: readonly string[] = await readdir(store).catch(() => [])
  const own = `${commit}${extension}`
  const found = names.includes(own) ? own : names.find(name => name.endsWith(extension))
  if (found === undefined) return 'nothing'
  await command(['tar', '--use-compress-program', 'zstd -T0', '-xf', join(store, found), '-C', directory])
  return found === own ? 'exact' : 'older'
}

async function save(store: string, commit: string, directory: string): Promise<void> {
  await mkdir(store, {recursive: true})
  const partial = join(store, 'partial')
  await command(['tar', '--use-compress-program', 'zstd -T0', '-cf', partial, '-C', directory, '.'])
  await rename(partial, join(store, `${commit}${extension}`))
}
