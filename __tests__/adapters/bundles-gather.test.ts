import {createHash} from 'node:crypto'
import {execFileSync} from 'node:child_process'
import {chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemFiles} from '../../src/adapters/files.js'
import {gather, readExport, type BundleFile} from '../../src/bundles/gather.js'
import {describeTree} from '../support/directory-tree.js'

let root: string
let exported: string
let bundle: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundles-gather-'))
  exported = join(root, 'export')
  bundle = join(root, 'out', 'binary-daemon')
  await mkdir(exported)
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

async function put(path: string, content: string, mode = 0o755): Promise<void> {
  await mkdir(dirname(join(exported, path)), {recursive: true})
  await writeFile(join(exported, path), content)
  await chmod(join(exported, path), mode)
}

async function run(): Promise<readonly BundleFile[]> {
  const files = systemFiles(join(root, 'temporary'))
  return await gather(await readExport(exported, files), bundle, files)
}

function hash(algorithm: 'md5' | 'sha256', content: string): string {
  return createHash(algorithm).update(content).digest('hex')
}

async function paths(): Promise<readonly string[]> {
  return (await run()).map(({path}) => path)
}

describe('readExport and gather', () => {
  it('copy every file with its mode and write checksums beside it', async () => {
    await put('dockerd', 'daemon')
    await put('README', 'text', 0o644)
    expect(await run()).toEqual([
      {path: 'README', size: 4, mode: 0o644, sha256: hash('sha256', 'text'), md5: hash('md5', 'text')},
      {path: 'dockerd', size: 6, mode: 0o755, sha256: hash('sha256', 'daemon'), md5: hash('md5', 'daemon')}
    ])
    expect(await describeTree(bundle)).toEqual([
      'README 644 text',
      `README.md5 644 ${hash('md5', 'text')}  README\n`,
      `README.sha256 644 ${hash('sha256', 'text')}  README\n`,
      'dockerd 755 daemon',
      `dockerd.md5 644 ${hash('md5', 'daemon')}  dockerd\n`,
      `dockerd.sha256 644 ${hash('sha256', 'daemon')}  dockerd\n`
    ])
  })

  it('keep the directories of several platforms, with checksums that name the file alone', async () => {
    await put('linux_amd64/dockerd', 'one')
    await put('linux_arm_v7/dockerd', 'other')
    expect(await paths()).toEqual(['linux_amd64/dockerd', 'linux_arm_v7/dockerd'])
    const checked = execFileSync('sha256sum', ['-c', 'dockerd.sha256'], {cwd: join(bundle, 'linux_arm_v7')})
    expect(checked.toString()).toBe('dockerd: OK\n')
  })

  it('replace an older bundle', async () => {
    await put('dockerd', 'daemon')
    await mkdir(bundle, {recursive: true})
    await writeFile(join(bundle, 'stale'), 'stale')
    await run()
    expect(await readdir(bundle)).toEqual(['dockerd', 'dockerd.md5', 'dockerd.sha256'])
    expect(await readdir(dirname(bundle))).toEqual(['binary-daemon'])
  })

  it('leave out the attestations of BuildKit', async () => {
    await put('dockerd', 'daemon')
    for (const name of ['provenance.json', 'sbom.spdx.json', 'sbom-base.spdx.json', 'linux_arm64/provenance.json']) {
      await put(name, '{}', 0o644)
    }
    expect(await paths()).toEqual(['dockerd'])
  })

  it.each([
    ['docker', 'docker-linux-amd64'],
    ['dockerd', 'dockerd-28.5.2'],
    ['docker.exe', 'docker-windows-amd64.exe']
  ])('make one file of the link %s and its target %s', async (link, target) => {
    await put(target, 'program')
    await symlink(target, join(exported, link))
    expect(await paths()).toEqual([link])
    expect(await describeTree(bundle)).toContain(`${link} 755 program`)
  })

  it('give a link to a program for Windows the extension that Windows needs', async () => {
    await put('docker-windows-amd64.exe', 'program')
    await symlink('docker-windows-amd64.exe', join(exported, 'docker'))
    expect(await paths()).toEqual(['docker.exe'])
  })

  it.each([
    ['ctr', 'containerd'],
    ['containerd', 'containerd-shim-runc-v2'],
    ['docker-init', 'tini-static']
  ])('keep both the link %s and its target %s when they are different programs', async (link, target) => {
    await put(target, 'program')
    await symlink(target, join(exported, link))
    expect(await paths()).toEqual([link, target].sort())
  })

  it('keep the target of a link from another directory, and count linked directories once', async () => {
    await put('28.5.2/dockerd', 'daemon')
    await symlink('28.5.2', join(exported, 'latest'))
    await symlink('28.5.2/dockerd', join(exported, 'dockerd'))
    expect(await paths()).toEqual(['28.5.2/dockerd', 'dockerd'])
  })

  it('check the sidecars of a build, also of a file that gives its place to a link', async () => {
    await put('dockerd-20.10.27', 'daemon')
    await put('dockerd-20.10.27.md5', `${hash('md5', 'daemon')}  dockerd-20.10.27\n`, 0o644)
    await put('dockerd-20.10.27.sha256', `${hash('sha256', 'daemon').toUpperCase()} *dockerd-20.10.27\n`, 0o644)
    await symlink('dockerd-20.10.27', join(exported, 'dockerd'))
    expect(await paths()).toEqual(['dockerd'])
    expect(await readFile(join(bundle, 'dockerd.md5'), 'utf8')).toBe(`${hash('md5', 'daemon')}  dockerd\n`)
    expect(await readdir(bundle)).toEqual(['dockerd', 'dockerd.md5', 'dockerd.sha256'])
  })

  it.each([
    ['md5', `${'0'.repeat(32)}  dockerd\n`, `expected ${'0'.repeat(32)}, found ${hash('md5', 'daemon')}`],
    ['sha256', 'rubbish', `expected rubbish, found ${hash('sha256', 'daemon')}`],
    ['sha256', '', `expected nothing, found ${hash('sha256', 'daemon')}`]
  ])('refuse a file that does not fit its %s sidecar %j', async (algorithm, text, message) => {
    await put('dockerd', 'daemon')
    await put(`dockerd.${algorithm}`, text, 0o644)
    await expect(run()).rejects.toThrow(`bundle: dockerd in ${exported} does not fit dockerd.${algorithm}: ${message}`)
  })
})

describe('readExport', () => {
  it.each([
    [
      'a sidecar without its file',
      async () => put('runc.md5', 'x', 0o644),
      'runc.md5 in EXPORT is for runc, which is missing'
    ],
    [
      'a dangling link',
      async () => symlink('nowhere', join(exported, 'docker')),
      'the link docker in EXPORT leads nowhere'
    ],
    [
      'a link to itself',
      async () => symlink('docker', join(exported, 'docker')),
      'the link docker in EXPORT leads nowhere'
    ],
    [
      'a link that leads out',
      async () => symlink('/bin/sh', join(exported, 'sh')),
      'the link sh leads out of EXPORT, to /'
    ],
    [
      'a link to a directory outside',
      async () => symlink('..', join(exported, 'up')),
      'the link up leads out of EXPORT, to /'
    ],
    [
      'a pipe',
      () => execFileSync('mkfifo', [join(exported, 'pipe')]),
      'pipe in EXPORT is neither a file nor a directory'
    ]
  ])('refuses %s', async (_what, make, message) => {
    await put('dockerd', 'daemon')
    await make()
    await expect(run()).rejects.toThrow(`bundle: ${message.replace('EXPORT', exported)}`)
    expect(await readdir(root)).toEqual(['export'])
  })

  it.each([
    ['is empty', async () => Promise.resolve()],
    ['holds attestations only', async () => put('provenance.json', '{}')],
    ['holds empty directories only', async () => mkdir(join(exported, 'linux_amd64'))]
  ])('refuses an export that %s', async (_what, make) => {
    await make()
    await expect(run()).rejects.toThrow(`bundle: the build left nothing in ${exported}`)
  })
})

describe('gather', () => {
  it('leaves nothing when a copy fails', async () => {
    await put('dockerd', 'daemon')
    await put('runc', 'runc')
    const files = systemFiles(join(root, 'temporary'))
    const found = await readExport(exported, files)
    await rm(join(exported, 'runc'))
    await expect(gather(found, bundle, files)).rejects.toThrow('ENOENT')
    expect(await readdir(dirname(bundle))).toEqual([])
  })
})
