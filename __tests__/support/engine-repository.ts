import {execFile} from 'node:child_process'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'

const run = promisify(execFile)

/** Runs git without the machine's own configuration, as a fixed person at a fixed time; returns what it prints. */
export async function git(directory: string, ...command: readonly string[]): Promise<string> {
  const person = {NAME: 'Someone', EMAIL: 'someone@example.com', DATE: '1700000000 +0200'}
  const identity = Object.entries(person).flatMap(([name, value]) => [
    [`GIT_AUTHOR_${name}`, value],
    [`GIT_COMMITTER_${name}`, value]
  ])
  const {stdout} = await run('git', ['-c', 'init.defaultBranch=master', '-C', directory, ...command], {
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...(Object.fromEntries(identity) as Record<string, string>)
    }
  })
  return stdout.trim()
}

/** A bare repository shaped like moby's, and the commits in it by name. */
export interface EngineRepository {
  readonly path: string
  readonly commits: Readonly<
    Record<'root' | 'v28.5.2' | '28.x' | 'docker-v29.0.0' | 'master' | 'pull' | 'hidden', string>
  >
}

/**
 * Makes `<root>/moby/moby.git`:
 *
 *     root ── v28.5.2, v28.5.2-rc.1 ── (branch 28.x)
 *                 └── docker-v29.0.0 (lightweight) ── api/v1.52.0, v2.0.0-beta.1 ── (branch master)
 *                                                          └── refs/pull/42/head      └── hidden: below no ref
 */
export async function makeEngineRepository(root: string): Promise<EngineRepository> {
  const work = join(root, 'moby', 'work')
  const path = join(root, 'moby', 'moby.git')
  await mkdir(work, {recursive: true})
  await git(work, 'init', '--quiet')
  const commit = async (name: string) => {
    await writeFile(join(work, 'file'), `content of ${name}\n`.repeat(100))
    await writeFile(join(work, `${name}.txt`), name)
    await git(work, 'add', '.')
    await git(work, 'commit', '--quiet', '-m', name)
    return await git(work, 'rev-parse', 'HEAD')
  }
  const tag = async (name: string) => await git(work, 'tag', '-a', '-m', name, name)

  const commits: Record<string, string> = {root: await commit('root')}
  commits['v28.5.2'] = await commit('v28.5.2')
  await tag('v28.5.2')
  await tag('v28.5.2-rc.1')
  await git(work, 'checkout', '--quiet', '-b', '28.x')
  commits['28.x'] = await commit('28.x')
  await git(work, 'checkout', '--quiet', 'master')
  commits['docker-v29.0.0'] = await commit('docker-v29.0.0')
  await git(work, 'tag', 'docker-v29.0.0')
  await commit('modules')
  await tag('api/v1.52.0')
  await tag('v2.0.0-beta.1')
  await git(work, 'checkout', '--quiet', '--detach')
  commits.pull = await commit('pull')
  await git(work, 'update-ref', 'refs/pull/42/head', 'HEAD')
  await git(work, 'checkout', '--quiet', 'master')
  commits.master = await commit('master')
  await git(work, 'checkout', '--quiet', '--detach')
  commits.hidden = await commit('hidden')
  await git(work, 'update-ref', 'refs/hidden', 'HEAD')
  await git(work, 'checkout', '--quiet', 'master')
  await git(root, 'clone', '--quiet', '--mirror', work, path)
  await git(path, 'update-ref', '-d', 'refs/hidden')
  return {path, commits: commits as EngineRepository['commits']}
}
