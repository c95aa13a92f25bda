import {execFile} from 'node:child_process'
import {mkdir} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'
import {type History, newHistory} from './git-history.js'
import {overlay, readTree, renameInTree, tree, type Tree} from './git-tree.js'

/** The tags of the moby repository that name a release of the engine, oldest first. */
export const mobyReleaseTags = [
  'v1.13.1',
  'v17.05.0-ce',
  'v24.0.9',
  'v28.5.0-rc.1',
  'v28.5.1',
  'v28.5.2',
  'v28.9.0',
  'docker-v29.0.0-beta.1',
  'docker-v29.0.0-rc.1',
  'docker-v29.1.0',
  'docker-v29.4.1'
] as const

/** Its other tags, which are no releases of the engine; the first three name the commit of docker-v29.0.0-rc.1 too. */
export const mobyOtherTags = [
  'api/v1.52.0',
  'client/v0.1.0',
  'v2.0.0-beta.3',
  'upstream/1.0',
  'debian/1.0',
  'docs-v1.0',
  'builder/1'
] as const

/** Those of all these tags that are annotated. */
export const mobyAnnotatedTags = [
  'v24.0.9',
  'v28.5.1',
  'v28.5.2',
  'v28.9.0',
  'docker-v29.1.0',
  'docker-v29.4.1'
] as const

/** The tags of the docker/cli repository; v23.0.10 and v23.0.15 are what some later moby tags have to make do with. */
export const cliTags = ['v23.0.10', 'v23.0.15', 'v28.5.1', 'v28.5.2', 'v28.9.0', 'v29.1.0'] as const

/** The tag of both repositories whose trees download in every way that is known; docker/cli's builds on Alpine. */
export const channelsTag = 'v28.9.0'

/**
 * Makes bare repositories `<directory>/<owner>/<name>.git`: moby and docker/cli in miniature, with commits, branches, pull
 * requests and tags of every kind that the real ones have, and those whose sources moby's Dockerfile downloads. Dates
 * and authors are fixed, so commit ids change with the trees in `sandbox/trees` alone. Throws when one of the
 * repositories is there already.
 */
export async function createRepositories(directory: string): Promise<void> {
  const histories = {
    'moby/moby': await mobyHistory(),
    'docker/cli': await cliHistory(),
    'containerd/containerd': await sourceHistory('containerd', ['v1.7.28', 'v2.3.3']),
    'opencontainers/runc': await sourceHistory('runc', ['v1.3.3', 'v1.4.3']),
    'krallin/tini': await sourceHistory('tini', ['v0.19.0']),
    'rootless-containers/rootlesskit': await sourceHistory('rootlesskit', ['v2.3.4', 'v3.0.2']),
    'tc-hib/go-winres': await sourceHistory('go-winres', ['v0.3.1'])
  }
  for (const [name, history] of Object.entries(histories)) {
    const repository = join(directory, `${name}.git`)
    await mkdir(dirname(repository), {recursive: true})
    await mkdir(repository)
    await git(['init', '--quiet', '--bare', '--initial-branch=master', repository])
    await git(['-C', repository, 'fast-import', '--quiet'], history.stream())
  }
}

/**
 * The id of moby's one commit that no branch, tag or pull request leads to, in the repositories that were made in
 * `directory`.
 */
export async function unreachableMobyCommit(directory: string): Promise<string> {
  const repository = join(directory, 'moby/moby.git')
  const found = /^unreachable commit ([0-9a-f]+)$/m.exec(await git(['-C', repository, 'fsck', '--unreachable']))
  if (found?.[1] === undefined) throw new Error(`every commit of ${repository} is reachable`)
  return found[1]
}

async function mobyHistory(): Promise<History> {
  const old = await readTree('moby-1.13')
  const moby28 = await readTree('moby-28')
  // 29 is a Go module of its own name.
  const renamed = renameInTree(moby28, 'github.com/docker/docker/', 'github.com/moby/moby/v2/')
  const moby29 = overlay(renamed, await readTree('moby-29'))

  const history = newHistory()
  const {commit, tag, annotatedTag} = history
  const master = 'refs/heads/master'

  const first = commit(master, 'Begin', old)
  tag('upstream/1.0', first)
  tag('debian/1.0', first)
  tag('v1.13.1', commit('refs/heads/1.13.x', 'Release 1.13.1', old, first))
  const second = commit(master, 'Move on to 17.05', withVersion(old, '17.05.0-dev'), first)
  tag('docs-v1.0', second)
  tag('v17.05.0-ce', commit('refs/heads/17.05.x', 'Release 17.05.0-ce', withVersion(old, '17.05.0-ce'), second))
  const baked = commit(master, 'Build with bake', moby28, second)
  tag('builder/1', baked)
  const fixed = commit(master, 'Fix the daemon', moby28, baked)

  const candidate28 = commit('refs/heads/28.x', 'Release 28.5.0-rc.1', moby28, fixed)
  tag('v28.5.0-rc.1', candidate28)
  const release281 = commit('refs/heads/28.x', 'Release 28.5.1', moby28, candidate28)
  annotatedTag('v28.5.1', release281)
  const release282 = commit('refs/heads/28.x', 'Release 28.5.2', moby28, release281)
  annotatedTag('v28.5.2', release282)
  commit('refs/heads/28.x', 'Fix after 28.5.2', moby28, release282)
  // An older series goes on after a younger one, as it does in moby. Its tree is 28's, for the sake of size.
  annotatedTag('v24.0.9', commit('refs/heads/24.0', 'Release 24.0.9', moby28, baked))

  const renaming = commit(master, 'Rename the module', moby29, fixed)
  tag('docker-v29.0.0-beta.1', renaming)
  const topic = commit('refs/heads/topic', 'Try something', moby29, renaming)
  const merged = commit(master, 'Merge topic', moby29, renaming, topic)
  for (const name of ['docker-v29.0.0-rc.1', 'api/v1.52.0', 'client/v0.1.0', 'v2.0.0-beta.3']) tag(name, merged)
  const release291 = commit('refs/heads/docker-29.x', 'Release 29.1.0', moby29, merged)
  annotatedTag('docker-v29.1.0', release291)
  const release294 = commit('refs/heads/docker-29.x', 'Release 29.4.1', moby29, release291)
  annotatedTag('docker-v29.4.1', release294)
  const last = commit(master, 'Work after the tags', moby29, merged)

  // Pushed over by the next commit, as after a rebase: nothing leads to this one any more.
  commit('refs/heads/feature/mirror', 'Add a mirror, first try', moby29, merged)
  commit('refs/heads/feature/mirror', 'Add a mirror', moby29, merged)
  const pull = commit('refs/pull/42/head', 'Propose a change', moby29, merged)
  commit('refs/pull/42/merge', 'Merge the proposed change', moby29, last, pull)

  const channels = overlay(moby28, await readTree('moby-channels'))
  annotatedTag(channelsTag, commit('refs/heads/channels', 'Download in every way', channels, fixed))
  return history
}

async function cliHistory(): Promise<History> {
  const cli = await readTree('cli-28')
  const history = newHistory()
  const {commit, tag, annotatedTag} = history
  const first = commit('refs/heads/master', 'Begin', cli)
  const release2310 = commit('refs/heads/23.0', 'Release 23.0.10', cli, first)
  annotatedTag('v23.0.10', release2310)
  tag('v23.0.15', commit('refs/heads/23.0', 'Release 23.0.15', cli, release2310))
  const second = commit('refs/heads/master', 'Fix the client', cli, first)
  const release281 = commit('refs/heads/28.x', 'Release 28.5.1', cli, second)
  annotatedTag('v28.5.1', release281)
  annotatedTag('v28.5.2', commit('refs/heads/28.x', 'Release 28.5.2', cli, release281))
  const third = commit('refs/heads/master', 'Release 29.1.0', cli, second)
  annotatedTag('v29.1.0', third)
  commit('refs/heads/master', 'Work after the tags', cli, third)
  const alpine = overlay(cli, await readTree('cli-alpine'))
  annotatedTag(channelsTag, commit('refs/heads/channels', 'Build on Alpine', alpine, second))
  return history
}

/** One branch with the same tree behind each tag. */
async function sourceHistory(name: string, tags: readonly string[]): Promise<History> {
  const files = await readTree(name)
  const history = newHistory()
  let parents: number[] = []
  for (const tag of tags) {
    const release = history.commit('refs/heads/master', `Release ${tag}`, files, ...parents)
    history.annotatedTag(tag, release)
    parents = [release]
  }
  // So that the tip of the branch is no release: whoever takes it in place of the tag builds something else.
  history.commit(
    'refs/heads/master',
    'Go on after the release',
    overlay(files, tree({NEWS: 'Nothing yet.\n'})),
    ...parents
  )
  return history
}

function withVersion(files: Tree, version: string): Tree {
  return overlay(files, tree({VERSION: `${version}\n`}))
}

/** Runs git without anybody's configuration and returns what it prints. */
async function git(argv: readonly string[], input = ''): Promise<string> {
  const environment = {PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null'}
  const running = promisify(execFile)('git', argv, {env: environment})
  // Who reads nothing may be gone already.
  running.child.stdin?.on('error', () => undefined).end(input)
  return (await running).stdout
}
