import {execFileSync} from 'node:child_process'
import {chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemCommands} from '../../src/adapters/commands.js'
import {systemFiles} from '../../src/adapters/files.js'
import {terminalLog} from '../../src/adapters/terminal-log.js'
import {makeBundle, type Bundle, type BundleOrder} from '../../src/bundles/make-bundle.js'
import {foreignHeader, goBuildInfo, ldflags, moduleTextWith} from '../support/go-program.js'

const script = "#!/bin/sh\necho 'Docker version 28.5.2, build 89c5e8f'\n"

let root: string
let exportDirectory: string
let outputDirectory: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundles-make-'))
  exportDirectory = join(root, 'export')
  outputDirectory = join(root, 'out')
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(exportDirectory, path)), {recursive: true})
  await writeFile(join(exportDirectory, path), content)
  await chmod(join(exportDirectory, path), 0o755)
}

async function make(changes: Partial<BundleOrder> = {}): Promise<{readonly bundle: Bundle; readonly lines: string[]}> {
  const lines: string[] = []
  const bundle = await makeBundle(
    {
      name: 'binary-daemon',
      exportDirectory,
      outputDirectory,
      machinePlatform: 'linux/amd64',
      stamp: {binary: 'dockerd', version: '28.5.2', commit: '89c5e8f'},
      verify: true,
      modifiedTime: 1_762_352_372,
      ...changes
    },
    {
      files: systemFiles(join(root, 'temporary')),
      commands: systemCommands(new AbortController().signal),
      log: terminalLog(text => lines.push(text))
    }
  )
  return {bundle, lines}
}

describe('makeBundle', () => {
  it('puts a checked bundle and its archive into the output directory', async () => {
    await put('dockerd-28.5.2', script)
    await symlink('dockerd-28.5.2', join(exportDirectory, 'dockerd'))
    await put('runc', 'runc')
    const {bundle, lines} = await make()
    expect(bundle).toMatchObject({
      name: 'binary-daemon',
      directory: join(outputDirectory, 'binary-daemon'),
      files: [{path: 'dockerd', mode: 0o755}, {path: 'runc'}],
      archive: {path: join(outputDirectory, 'binary-daemon.tar.gz')},
      stamps: [{path: 'dockerd', version: '28.5.2', commit: '89c5e8f', how: 'ran'}]
    })
    expect(lines).toEqual([
      'dockerd: version 28.5.2, build 89c5e8f (ran)\n',
      expect.stringMatching(/binary-daemon\.tar\.gz: 2 files, \d+ B, sha256 [0-9a-f]{64}\n$/)
    ])
    expect(await readdir(outputDirectory)).toEqual([
      'binary-daemon',
      'binary-daemon.tar.gz',
      'binary-daemon.tar.gz.sha256'
    ])
    execFileSync('sha256sum', ['-c', '--status', 'binary-daemon.tar.gz.sha256'], {cwd: outputDirectory})
  })

  it('checks the program of every platform, and runs only those for this machine', async () => {
    const module = 'github.com/docker/cli/cli/version'
    const foreign = goBuildInfo(moduleTextWith(ldflags(module, '28.5.2', 'ecc6942')))
    await put('linux_amd64/docker', script.replace('89c5e8f', 'ecc6942'))
    await put('linux_arm64/docker', Buffer.concat([foreignHeader(), foreign]))
    await put('windows_amd64/docker.exe', Buffer.concat([Buffer.from('MZ'), foreign]))
    const stamp = {binary: 'docker', version: '28.5.2', commit: 'ecc6942'} as const
    const {bundle} = await make({name: 'binary-client', stamp})
    expect(bundle.stamps.map(({path, how}) => `${path} ${how}`)).toEqual([
      'linux_amd64/docker ran',
      'linux_arm64/docker build info',
      'windows_amd64/docker.exe build info'
    ])
  })

  it('makes the same archive again', async () => {
    await put('dockerd', script)
    const first = await make()
    const second = await make()
    expect(second.bundle).toEqual(first.bundle)
  })

  it('checks no stamp when it should not', async () => {
    await put('something', 'else')
    expect((await make({verify: false})).bundle.stamps).toEqual([])
  })

  it.each([
    ['the wrong version', 'dockerd', script.replace('28.5.2', 'dev'), 'dockerd: expected version 28.5.2'],
    ['no program to ask', 'runc', 'runc', 'the build left no dockerd for binary-daemon'],
    ['a platform without the program', 'linux_arm64/runc', 'runc', 'no dockerd for linux/arm64 for binary-daemon'],
    ['a wrong checksum', 'dockerd.md5', 'rubbish', 'dockerd in ']
  ])('leaves the output directory alone for %s', async (_what, path, content, message) => {
    await put('dockerd', script)
    const {bundle} = await make()
    const before = await readFile(bundle.archive.path)
    if (path === 'runc') await rm(exportDirectory, {recursive: true})
    await put(path, content)
    await expect(make()).rejects.toThrow(message)
    expect(await readFile(bundle.archive.path)).toEqual(before)
    expect(await readdir(outputDirectory)).toHaveLength(3)
  })
})
