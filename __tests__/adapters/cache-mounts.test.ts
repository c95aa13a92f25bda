import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {systemCommands} from '../../src/adapters/commands.js'
import {digestOf, type MountEntry} from '../../src/cache/mount-entry.js'
import {restoreMounts} from '../../src/cache/mounts.js'
import {CancelledError} from '../../src/errors.js'
import type {Files} from '../../src/ports.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {alpine, compiler, debian, modules, mountBuilds} from '../support/mount-builds.js'
import {mountSmallDisk} from '../support/small-disk.js'

const list = 'find . -path ./.build-moby -prune -o -type f -print | sort'

await describeWithEngine('cache mounts', () => {
  const builds = mountBuilds()
  const {context, forget, imageOf, plan, restore, run, save, step, tamper, warnings, writeLayers} = builds

  const tar = async (...words: readonly string[]) => {
    expect(await builds.ports.commands.capture(['tar', ...words])).toMatchObject({exitCode: 0})
  }

  describe.each([
    ['Debian', debian],
    ['Alpine', alpine]
  ])('with the tools of %s', (_, image) => {
    const mounts = [compiler('moby-build-linux/amd64'), compiler('/root/.cache/go-build'), modules('/go/pkg/mod')]
    const go = `mkdir /src
      cd /src
      mkdir a b
      echo 'module example' > go.mod
      echo 'package a; func F() int { return 1 }' > a/a.go
      echo 'package b; import "example/a"; func F() int { return a.F() }' > b/b.go
      echo 'package main; import "example/b"; func main() { println(b.F()) }' > main.go
      export GO111MODULE=on CGO_ENABLED=0 GOCACHE=/0
      go build -x -o program . 2> log || { cat log >&2; exit 1; }
      ./program
      grep -c '/compile ' log || true`

    it('lets Go compile nothing again', async () => {
      const planned = plan(mounts, image)
      const cold = await run(planned, go, image)
      expect(cold.restored).toEqual({kind: 'mounts', of: 'daemon', exact: false})
      expect(cold.account.saved?.key).toMatch(/^mounts-28\.5-aaaaaaa-[0-9a-f]{16}$/)
      expect(Number(cold.printed)).toBeGreaterThanOrEqual(3)
      await forget()
      const warm = await run(planned, go, image)
      expect(warm.restored).toMatchObject({exact: true, restored: cold.account.saved})
      expect(warm.printed).toBe('0')
      expect(warm.account).toEqual({...warm.restored, note: 'nothing new'})
      expect(warnings()).toEqual([])
      // Neither the entry nor the context of the commands stays on the disk.
      expect(await readdir(builds.root)).not.toContain('work')
    }, 240_000)

    it('keeps owner, mode and the times of files, read-only directories included', async () => {
      const planned = plan([compiler('a', ['uid=7', 'gid=8', 'mode=0700']), modules('b')], image)
      const look = `cd /0; stat -c '%n %u:%g %a' . x x/f
        cd /1; stat -c '%n %u:%g %a' m; stat -c '%n %u:%g %a %Y' m/f; readlink m/l`
      await run(
        planned,
        `cd /0; mkdir -m 750 x; echo 1 > x/f; chmod 640 x/f; chown -R 7:8 x
         cd /1; mkdir m; echo 2 > m/f; ln -s f m/l; touch -d '2001-02-03 04:05:06' m/f m; chmod 444 m/f; chmod 555 m`,
        image
      )
      await forget()
      const {printed, restored} = await run(planned, look, image)
      expect(restored.restored).toBeDefined()
      expect(printed.split('\n')).toEqual([
        '. 7:8 700',
        'x 7:8 750',
        'x/f 7:8 640',
        'm 0:0 555',
        'm/f 0:0 444 981173106',
        'f'
      ])
    }, 120_000)

    it.each<[string, number, (stdout: string) => string]>([
      ['zstd, which the image need not have', 0xfd2fb528, stdout => stdout],
      ['gzip, where this machine has no zstd', 0x00088b1f, () => ''],
      ['gzip, where the builder is another kind of machine', 0x00088b1f, stdout => stdout.replace(/.*\n$/, 'other\n')]
    ])(
      'packs them by %s',
      async (_name, magic, change) => {
        const {commands} = builds.ports
        builds.ports = {
          ...builds.ports,
          commands: {
            ...commands,
            capture: async (argv, options) => {
              const result = await commands.capture(argv, options)
              if (!argv.join(' ').includes('command -v zstd')) return result
              const stdout = change(result.stdout)
              return {...result, stdout, exitCode: stdout === '' ? 127 : result.exitCode}
            }
          }
        }
        const planned = plan([compiler('a'), modules('b')], image)
        const {account} = await run(planned, 'echo 1 > /0/f; echo 2 > /1/f', image)
        await tamper(account.saved?.key ?? '', async directory => {
          expect((await readFile(join(directory, '0.archive'))).readUInt32LE()).toBe(magic)
        })
        const look = `cat /0/f /1/f; for i in 0 1; do cd /$i; ${list}; done`
        const all = '1\n2\n./f\n./f'
        expect(await step(planned.groups[0]?.mounts ?? [], look, image)).toBe(all)
        await forget()
        expect((await run(planned, look, image)).printed).toBe(all)
        expect(warnings()).toEqual([])
      },
      120_000
    )

    it('leaves the mounts as they were when an archive cannot be unpacked', async () => {
      const planned = plan([compiler('a'), modules('b'), compiler('c')], image)
      const {account} = await run(planned, 'echo 1 > /0/f; echo 2 > /1/f; echo 3 > /2/f', image)
      await forget()
      await tamper(account.saved?.key ?? '', async directory => {
        const entry = JSON.parse(await readFile(join(directory, 'entry.json'), 'utf8')) as MountEntry
        const archive = join(directory, '0.archive')
        const unpacked = await mkdtemp(join(builds.root, 'unpacked-'))
        await tar('-xf', archive, '-C', unpacked)
        await writeFile(join(unpacked, '2.tar'), 'no archive')
        await tar('-czf', archive, '-C', unpacked, '.')
        Object.assign(entry.archives['0.archive'] ?? {}, await digestOf(archive, builds.ports.files))
        await writeFile(join(directory, 'entry.json'), JSON.stringify(entry))
      })
      await step([compiler('a')], 'echo own > /0/own', image)
      const again = await run(planned, `for i in 0 1 2; do cd /$i; ${list}; done`, image)
      expect(again.restored).toEqual({kind: 'mounts', of: 'daemon', exact: false, note: 'not restored'})
      expect(again.printed).toBe('./own')
      expect(warnings()).toEqual([
        expect.stringMatching(/^warning: The cache mounts of the daemon were not restored: /)
      ])
    }, 120_000)
  })

  it('keeps of a compiler what was used, of modules all, and a mount as it was whose step did not run', async () => {
    const mounts = [compiler('a'), modules('b'), compiler('c')]
    await run(
      plan(mounts),
      'for i in 0 1 2; do cd /$i; head -c 100 /dev/zero > old; head -c 100 /dev/zero > kept; done'
    )
    await forget()
    const more = 'touch /0/kept; head -c 1000 /dev/zero > /0/new; echo new > /1/new'
    const {account} = await run(plan(mounts, debian, 'bbbbbbb'), more)
    expect(account.saved?.key).toMatch(/^mounts-28\.5-bbbbbbb-/)
    await forget()
    const {printed, restored} = await run(plan(mounts, debian, 'ccccccc'), `for i in 0 1 2; do cd /$i; ${list}; done`)
    expect(restored).toMatchObject({exact: false, restored: {key: account.saved?.key}})
    expect(printed.split('\n')).toEqual(['./kept', './new', './kept', './new', './old', './kept', './old'])
  }, 120_000)

  it('adds to an entry, and takes nothing when what was added to is gone', async () => {
    const mounts = [compiler('a')]
    const first = await run(plan(mounts), 'head -c 100000 /dev/zero > /0/base')
    await forget()
    const next = plan(mounts, debian, 'bbbbbbb')
    const second = await run(next, 'touch /0/base; head -c 2000 /dev/zero > /0/more')
    const added = join(builds.root, 'added')
    await builds.ports.cache.restore(added, second.account.saved?.key ?? '', [])
    expect(JSON.parse(await readFile(join(added, 'entry.json'), 'utf8'))).toMatchObject({
      base: first.account.saved?.key,
      mounts: {'0': {files: 1, contentBytes: 2000, firstBytes: 100_000}}
    })
    await forget()
    const third = await run(plan(mounts, debian, 'ccccccc'), `cd /0; ${list}; echo 3 > third`)
    expect(third.printed.split('\n')).toEqual(['./base', './more'])

    const kept = (await readdir(join(builds.root, 'store', 'v1'))).filter(
      name => !name.startsWith(first.account.saved?.key ?? '')
    )
    expect(kept).toHaveLength(1)
    await rm(join(builds.root, 'store', 'v1', `${first.account.saved?.key ?? ''}.tar.zst`))
    await forget()
    const fourth = await run(plan(mounts, debian, 'ddddddd'), `cd /0; ${list}; echo 4 > fourth`)
    expect(fourth.restored.restored).toBeUndefined()
    expect(fourth.printed).toBe('')
    expect(warnings()).toEqual([expect.stringContaining('which is gone')])
    expect(fourth.account.saved?.key).toMatch(/^mounts-28\.5-ddddddd-/)
  }, 180_000)

  it('uses nothing of a damaged entry, says so once, and saves another', async () => {
    const planned = plan([compiler('a'), compiler('b')])
    const {account} = await run(planned, 'echo 1 > /0/f; echo 2 > /1/f')
    await forget()
    await tamper(account.saved?.key ?? '', async directory => {
      const archive = await readFile(join(directory, '0.archive'))
      archive.writeUInt8(archive.readUInt8(archive.length >> 1) ^ 1, archive.length >> 1)
      await writeFile(join(directory, '0.archive'), archive)
    })
    const again = await run(planned, `cd /0; ${list}; echo 1 > f; echo 2 > /1/f`)
    expect(again.printed).toBe('')
    expect(again.account.saved?.key).toMatch(/^mounts-28\.5-aaaaaaa-/)
    expect(again.account.saved?.key).not.toBe(account.saved?.key)
    expect(warnings()).toEqual(['warning: The cache mounts of the daemon were not restored: 0.archive is damaged'])
  }, 120_000)

  it('transfers nothing to a builder that has the newest entry, and adds it to one that has another', async () => {
    const planned = plan([compiler('a'), modules('b')])
    await run(planned, 'echo 1 > /0/f; echo 2 > /1/f; touch -d @1000000000 /0/f')
    const fetched: string[] = []
    const {cache} = builds.ports
    builds.ports = {
      ...builds.ports,
      cache: {
        ...cache,
        restore: async (directory, key, prefixes) => (fetched.push(key), await cache.restore(directory, key, prefixes))
      }
    }
    const again = await run(planned, 'stat -c %Y /0/f')
    expect(again.restored).toMatchObject({exact: true, note: 'in the builder already'})
    expect([fetched, again.printed]).toEqual([[], '1000000000'])

    await forget()
    await step(planned.groups[0]?.mounts ?? [], 'echo own > /0/own; echo own > /1/own')
    const added = await run(planned, `cd /0; ${list}; cd /1; ${list}`)
    expect(fetched).toEqual([again.restored.restored?.key])
    // Go trusts a directory of modules as soon as it is there, so half of one must never be.
    expect(added.printed.split('\n')).toEqual(['./f', './own', './own'])
    expect(warnings()).toEqual([])
  }, 180_000)

  it('are the same ones though the builder measures them meanwhile', async () => {
    const planned = plan([compiler('a')])
    await run(planned, 'echo 1 > /0/f')
    // Many directories take a while to be measured, and nothing to be listed.
    await step([compiler('a')], 'cd /0; seq 12000 | xargs mkdir')
    const measure = () => builds.ports.commands.capture(['docker', 'buildx', 'du'], context())
    const first = measure()
    await new Promise(resolve => setTimeout(resolve, 300))
    expect((await restore(planned)).account.note).toBe('in the builder already')
    const second = measure()
    expect(await step([compiler('a')], 'cat /0/f; ls -d /0/12000')).toBe('1\n/0/12000')
    expect([await first, await second]).toMatchObject([{exitCode: 0}, {exitCode: 0}])
  }, 120_000)

  it('says which disk was full', async () => {
    const planned = plan([compiler('a')])
    const restored = await restore(planned)
    await step([compiler('a')], 'head -c 30000000 /dev/urandom > /0/f')
    const {files} = builds.ports
    const fullDisk = `#!/bin/sh
      [ "$(head -c 1 | wc -c)" != 0 ] || exit 0
      echo 'zstd: error 70 : cannot write block : No space left on device' >&2
      seq 100 >&2
      exit 1`
    const copyFile: Files['copyFile'] = async (_, to) => {
      await writeFile(to, fullDisk, {mode: 0o755})
    }
    const saving = {...builds.ports, files: {...files, copyFile}}
    expect(await save(planned, restored, saving)).toMatchObject({note: 'not saved'})
    const unmount = await mountSmallDisk(planned.directory, 20_000_000)
    try {
      expect(await save(planned, restored)).toMatchObject({note: 'not saved'})
    } finally {
      await unmount()
    }
    expect(warnings()).toEqual([
      'warning: The cache mounts of the daemon were not saved: in the builder: zstd: error 70 : cannot write block : No space left on device',
      expect.stringMatching(/were not saved: .*\/output cannot be written, its disk may be full: ERROR: .* receiver/)
    ])
    expect(await readdir(builds.root)).not.toContain('store')
  }, 120_000)

  it('is served by the node of each platform', async () => {
    const groups = ['linux/amd64', 'linux/arm64'].map(platform => ({platform, mounts: [compiler(`go-${platform}`)]}))
    const planned = {...plan([]), groups}
    const mounts = groups.flatMap(group => group.mounts)
    const before = await restore(planned)
    await step(mounts, 'for f in /0/one /1/two; do head -c 100 /dev/zero > $f; done')
    const {saved} = await save(planned, before)
    const entry = join(builds.root, 'entry')
    await builds.ports.cache.restore(entry, saved?.key ?? '', [])
    expect(await readdir(entry)).toEqual(['0.archive', '0.names', '1.archive', '1.names', 'entry.json'])
    await forget()
    const again = await restore(planned)
    expect(again.account.exact).toBe(true)
    const next = 'stat -c %s /0/one /1/two; head -c 20 /dev/zero > /1/three; touch /0/one /1/two'
    expect(await step(mounts, next)).toBe('100\n100')
    // Nothing is added to the first.
    await rm(entry, {recursive: true})
    await builds.ports.cache.restore(entry, (await save({...planned, keyPrefix: 'next-'}, again)).saved?.key ?? '', [])
    expect(await readdir(entry)).toEqual(['1.archive', '1.names', 'entry.json'])
  }, 120_000)

  it('costs a warning when the builder cannot run it', async () => {
    const planned = plan([compiler('a')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    const broken = {...planned, image: `${imageOf(debian)}-missing`}
    const restored = await restore(broken)
    expect(restored.account).toMatchObject({exact: false, note: 'not restored'})
    expect(await save(broken, restored)).toMatchObject({note: 'not saved'})
    expect(warnings()).toEqual([
      expect.stringMatching(/were not restored: .*not found/),
      expect.stringMatching(/were not saved: .*not found/)
    ])
  })

  it('are filled by restored layers, without an image', async () => {
    const planned = plan([compiler('a')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    const layers = join(builds.root, 'layers')
    // As in docker/cli and moby: one layer, linked to several.
    const linked = 'COPY --link Dockerfile /linked'
    const other = ['FROM scratch AS other', linked]
    await writeLayers(layers, [
      `FROM ${imageOf(debian)} AS base`,
      linked,
      'RUN echo 2 > /own',
      ...other,
      'FROM base',
      linked
    ])
    const before = builds.registry.requests().length
    const nowhere = {...planned, image: imageOf('nowhere')}
    const withLayers = (mounts: typeof planned) =>
      restoreMounts(mounts, 'daemon', context(), builds.ports, () => Promise.resolve(layers))
    const restored = await withLayers(nowhere)
    expect(builds.registry.requests().slice(before)).toEqual([])
    expect(restored.account.restored).toBeDefined()
    expect(await step([compiler('a')], 'cat /0/f; touch /0/f; echo 2 > /0/g')).toBe('1')
    const asked = builds.registry.requests().length
    expect(await save(nowhere, restored)).toMatchObject({saved: {}, note: '2 B new'})
    expect(builds.registry.requests().slice(asked)).toEqual([])
    // The image is taken when the layers cannot be.
    await forget()
    await rm(join(layers, 'index.json'))
    expect((await withLayers(planned)).account.restored).toBeDefined()
    await forget()
    await writeFile(join(layers, 'index.json'), '{"manifests": []}')
    expect((await withLayers(planned)).account.restored).toBeDefined()
    expect(builds.log.lines.filter(line => line.includes('No image can be made of the restored layers'))).toHaveLength(
      2
    )
    await forget()
    await writeLayers(layers, ['FROM scratch', 'COPY Dockerfile /'])
    expect((await withLayers(planned)).account.restored).toBeDefined()
    expect(builds.log.lines.join('\n')).toMatch(/debug: The cache mounts cannot be filled by restored layers: .*"?sh"?/)
    expect(await step([compiler('a')], 'cat /0/f')).toBe('1')
    expect(warnings()).toEqual([])
  }, 120_000)

  it('are not left half filled by a run that was killed', async () => {
    const planned = plan([modules('m')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    await step([modules('m')], 'mkdir -p /0/.build-moby/new && echo half > /0/.build-moby/new/half')
    await restore(planned)
    expect(await step([modules('m')], `cd /0 && ${list} && ls .build-moby`)).toMatch(/^\.\/f\n(?!.*new)/s)
    await step([modules('m')], 'echo 2 > /0/own')
    // What a build has put there since is no half of ours.
    await forget()
    await step([modules('m')], 'echo 3 > /0/own')
    await restore(planned)
    expect(await step([modules('m')], `cd /0 && ${list}`)).toBe('./own')
    expect(warnings()).toEqual([])
  }, 120_000)

  it('ends with the run when that is cancelled', async () => {
    const planned = plan([compiler('a')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    const cancelled = new AbortController()
    const commands = systemCommands(cancelled.signal)
    cancelled.abort(new CancelledError('cancelled'))
    const cancelledPorts = {...builds.ports, commands}
    await expect(restoreMounts(planned, 'daemon', context(), cancelledPorts)).rejects.toThrow(CancelledError)
    const restored = await restore(planned)
    await expect(save(planned, restored, cancelledPorts)).rejects.toThrow(CancelledError)
    expect(warnings()).toEqual([])
  })
})
