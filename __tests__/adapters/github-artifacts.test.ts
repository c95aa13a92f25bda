import {createHash, randomBytes} from 'node:crypto'
import {chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DefaultArtifactClient} from '@actions/artifact'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {githubArtifacts} from '../../src/adapters/github-artifacts.js'
import type {ArtifactOptions, PublishedArtifact} from '../../src/ports.js'
import {type Inside, insideRunner} from '../support/inside-runner.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'

let root: string
let service: ResultsService
let job: Record<string, string>
let archive: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'github-artifacts-'))
  service = await startResultsService()
  job = {
    ...service.environment(),
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'octo/repository',
    GITHUB_RUN_ID: '1001'
  }
  archive = join(root, 'binary-daemon.tar.gz')
  await writeFile(archive, randomBytes(17 * 1024 * 1024))
})

afterEach(async () => {
  await service.close()
  await rm(root, {recursive: true, force: true})
})

async function publish(
  name: string,
  files: readonly string[],
  options: ArtifactOptions = {compressionLevel: 0}
): Promise<Inside<PublishedArtifact>> {
  return await insideRunner(root, job, async () => {
    const store = githubArtifacts(process.env)
    if (store === undefined) throw new Error('no artifacts')
    return await store.publish(name, files, options)
  })
}

async function download(id: number): Promise<string> {
  const path = join(root, 'downloaded')
  const {value} = await insideRunner(root, job, () =>
    new DefaultArtifactClient().downloadArtifact(id, {path, expectedHash: service.artifacts()[0]?.digest ?? ''})
  )
  expect(value.digestMismatch).toBe(false)
  return path
}

describe('githubArtifacts', () => {
  it('uploads files of several directories to the root of one zip under exactly the given name', async () => {
    const sums = join(root, 'elsewhere', 'checksums.txt')
    await mkdir(join(root, 'elsewhere'))
    await writeFile(
      sums,
      createHash('sha256')
        .update(await readFile(archive))
        .digest('hex')
    )
    const {value} = await publish('binary-daemon', [archive, sums])

    expect(value).toEqual({id: 1, url: 'https://github.com/octo/repository/actions/runs/1001/artifacts/1'})
    expect(service.artifacts()).toEqual([expect.objectContaining({id: 1, name: 'binary-daemon', expiresAt: ''})])
    const path = await download(1)
    expect((await readdir(path)).sort()).toEqual(['binary-daemon.tar.gz', 'checksums.txt'])
    expect((await readFile(join(path, 'binary-daemon.tar.gz'))).equals(await readFile(archive))).toBe(true)
    expect(await readdir(join(root, 'temporary'))).toEqual([])
  })

  it('sends large files in several blocks', async () => {
    await publish('large', [archive])
    expect(service.requests().filter(name => name === 'PUT block')).toHaveLength(3)
    expect(service.artifacts()[0]?.size).toBeGreaterThan((await stat(archive)).size)
  })

  it('follows a link and keeps the link’s name', async () => {
    const program = join(root, 'program')
    await writeFile(program, 'content')
    await chmod(program, 0o755)
    await symlink(program, join(root, 'link'))
    const {value} = await publish('linked', [join(root, 'link')])
    expect(await readFile(join(await download(value.id ?? 0), 'link'), 'utf8')).toBe('content')
  })

  it('asks for the given days of retention and compresses as told', async () => {
    const text = join(root, 'text')
    await writeFile(text, 'again and again '.repeat(10_000))
    await publish('text', [text], {compressionLevel: 9, retentionDays: 3})
    const [artifact] = service.artifacts()
    const days = (Date.parse(artifact?.expiresAt ?? '') - Date.now()) / (24 * 60 * 60 * 1000)
    expect(Math.round(days)).toBe(3)
    expect(artifact?.size).toBeLessThan(2000)
  })

  it('rejects when the name is taken', async () => {
    await publish('binary-daemon', [archive])
    await expect(publish('binary-daemon', [archive])).rejects.toThrow('an artifact with this name already exists')
  })

  it('rejects before any upload when a file is missing', async () => {
    await expect(publish('nothing', [join(root, 'nowhere')])).rejects.toThrow('ENOENT')
    expect(service.requests()).toEqual([])
  })

  it.each([
    ['without a token', {ACTIONS_RUNTIME_TOKEN: ''}],
    ['without the service', {ACTIONS_RESULTS_URL: ''}],
    ['on GitHub Enterprise Server', {GITHUB_SERVER_URL: 'https://github.example.com'}]
  ])('does not exist %s', (_, variables) => {
    expect(githubArtifacts({...job, ...variables})).toBeUndefined()
  })

  it.each(['https://github.com', 'https://octo.ghe.com', ''])('exists on the server %s', server => {
    expect(githubArtifacts({...job, GITHUB_SERVER_URL: server})).toBeDefined()
  })
})
