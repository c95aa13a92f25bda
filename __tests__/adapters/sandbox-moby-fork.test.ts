import {execFile} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, describe, expect, it} from '@jest/globals'
import {
  cliTags,
  createRepositories,
  mobyAnnotatedTags,
  mobyOtherTags,
  mobyReleaseTags,
  unreachableMobyCommit
} from '../../sandbox/moby-fork.js'

const sources = [
  ['containerd/containerd', 'v2.3.3'],
  ['opencontainers/runc', 'v1.4.3'],
  ['krallin/tini', 'v0.19.0'],
  ['rootless-containers/rootlesskit', 'v3.0.2'],
  ['tc-hib/go-winres', 'v0.3.1']
] as const
const repositories = ['moby/moby', 'docker/cli', ...sources.map(([name]) => name)]

let directory: string

async function gitIn(root: string, repository: string, ...argv: readonly string[]): Promise<string> {
  const {stdout} = await promisify(execFile)('git', ['-C', join(root, `${repository}.git`), ...argv])
  return stdout.trimEnd()
}

async function moby(...argv: readonly string[]): Promise<string> {
  return gitIn(directory, 'moby/moby', ...argv)
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moby-fork-'))
  await createRepositories(directory)
})

afterAll(async () => {
  await rm(directory, {recursive: true, force: true})
})

describe('the repositories in miniature', () => {
  it('are the same to the last commit id wherever they are made', async () => {
    const other = await mkdtemp(join(tmpdir(), 'moby-fork-'))
    try {
      await createRepositories(other)
      for (const repository of repositories) {
        const refs = await gitIn(other, repository, 'for-each-ref')
        expect(refs).toBe(await gitIn(directory, repository, 'for-each-ref'))
      }
      expect(await unreachableMobyCommit(other)).toBe(await unreachableMobyCommit(directory))
    } finally {
      await rm(other, {recursive: true, force: true})
    }
  })

  it.each(repositories)('of %s have no broken object and master checked out by default', async repository => {
    await gitIn(directory, repository, 'fsck', '--strict')
    expect(await gitIn(directory, repository, 'symbolic-ref', 'HEAD')).toBe('refs/heads/master')
  })

  it.each(sources)('of %s have the tag %s that the Dockerfile of 29 names', async (repository, tag) => {
    const dockerfile = await moby('show', 'docker-v29.4.1:Dockerfile')
    expect(dockerfile).toContain(`=${tag}\nADD https://github.com/${repository}.git?ref=`)
    expect(await gitIn(directory, repository, 'describe', '--exact-match', tag)).toBe(tag)
  })

  it('are not made over others', async () => {
    await expect(createRepositories(directory)).rejects.toThrow('EEXIST')
  })
})

describe('moby in miniature', () => {
  it('has the tags it names, and the annotated ones stay annotated', async () => {
    const lines = (await moby('for-each-ref', '--format=%(refname:strip=2) %(objecttype)', 'refs/tags')).split('\n')
    const annotated = new Set<string>(mobyAnnotatedTags)
    const expected = [...mobyReleaseTags, ...mobyOtherTags]
    expect(lines.sort()).toEqual(expected.map(tag => `${tag} ${annotated.has(tag) ? 'tag' : 'commit'}`).sort())
  })

  it.each([
    ['docker-v29.4.1', 'docker-v29.4.1'],
    ['docker-29.x', 'docker-v29.4.1'],
    ['28.x^', 'v28.5.2'],
    ['24.0', 'v24.0.9'],
    ['v17.05.0-ce', 'v17.05.0-ce']
  ])('describes %s as %s', async (revision, description) => {
    expect(await moby('describe', '--tags', revision)).toBe(description)
  })

  it.each([
    ['28.x', 'v[0-9]*', 'v28.5.2-1'],
    ['master', 'docker-v*', 'docker-v29.0.0-rc.1-1'],
    ['feature/mirror', 'docker-v*', 'docker-v29.0.0-rc.1-1'],
    // What a careless pattern takes for a release.
    ['master', 'v[0-9]*', 'v2.0.0-beta.3-1']
  ])('describes %s by tags like %s as one commit after the last', async (revision, pattern, beginning) => {
    const hash = await moby('rev-parse', '--short', revision)
    expect(await moby('describe', '--tags', '--match', pattern, revision)).toBe(`${beginning}-g${hash}`)
  })

  it('has a merge and an open pull request, which no branch leads to', async () => {
    expect(await moby('rev-list', '--merges', '--count', 'master')).toBe('1')
    expect(await moby('rev-parse', 'refs/pull/42/merge^2')).toBe(await moby('rev-parse', 'refs/pull/42/head'))
    expect(await moby('branch', '--contains', 'refs/pull/42/head')).toBe('')
  })

  it('has a commit that no ref leads to', async () => {
    const commit = await unreachableMobyCommit(directory)
    expect(await moby('cat-file', '-t', commit)).toBe('commit')
    expect(await moby('for-each-ref', '--contains', commit)).toBe('')
  })

  it.each([
    ['v28.5.2', 'github.com/docker/docker'],
    ['docker-v29.4.1', 'github.com/moby/moby/v2']
  ])('stamps %s through the package of %s', async (tag, module) => {
    expect(await moby('show', `${tag}:hack/make/.go-autogen`)).toContain(`${module}/dockerversion.Version=`)
    expect(await moby('show', `${tag}:cmd/dockerd/docker.go`)).toContain(`"${module}/dockerversion"`)
  })

  it.each([
    ['v1.13.1', '1.13.1'],
    ['v17.05.0-ce', '17.05.0-ce']
  ])('carries the version of %s in a file', async (tag, version) => {
    expect(await moby('show', `${tag}:VERSION`)).toBe(version)
  })

  it('keeps scripts executable', async () => {
    expect(await moby('ls-tree', 'docker-v29.4.1', 'hack/make.sh')).toMatch(/^100755 /)
  })
})

describe('docker/cli in miniature', () => {
  it('has the tags it names', async () => {
    expect((await gitIn(directory, 'docker/cli', 'tag')).split('\n').sort()).toEqual([...cliTags].sort())
  })

  it('describes its branches by them', async () => {
    expect(await gitIn(directory, 'docker/cli', 'describe', '28.x')).toBe('v28.5.2')
    expect(await gitIn(directory, 'docker/cli', 'describe', 'master')).toMatch(/^v29\.1\.0-1-g/)
  })
})
