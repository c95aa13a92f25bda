import {execFileSync} from 'node:child_process'
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {parse} from 'yaml'
import type {Network} from '../../src/network/network.js'
import {primingOf} from '../../src/network/primed-base.js'
import {git, makeRepository} from '../support/bare-repository.js'
import {networkWith} from '../support/network.js'
import {primedRoot, type PrimedRoot} from '../support/primed-root.js'

let root: PrimedRoot

beforeEach(() => {
  root = primedRoot()
})

afterEach(() => {
  root.remove()
})

function prime(network: Partial<Network>): void {
  root.prime(primingOf(networkWith(network)))
}

describe('package sources of Debian and Ubuntu', () => {
  const aptMirror = 'http://m.example'

  it.each([
    ['deb http://debian.example/debian bookworm main', 'deb http://m.example/debian bookworm main'],
    ['deb http://debian.example/debian/ bookworm main', 'deb http://m.example/debian/ bookworm main'],
    ['deb https://debian.example/debian-security s main', 'deb http://m.example/debian-security s main'],
    ['deb http://archive.ubuntu.com/ubuntu/ noble main', 'deb http://m.example/ubuntu/ noble main'],
    ['deb http://ports.ubuntu.com/ubuntu-ports noble main', 'deb http://m.example/ubuntu-ports noble main'],
    ['deb http://10.0.0.1:8080/debian sid main', 'deb http://m.example/debian sid main'],
    ['deb-src\thttp://debian.example/debian\tsid main', 'deb-src\thttp://m.example/debian\tsid main'],
    [
      'deb [signed-by=/usr/share/keyrings/debian.gpg arch=amd64] http://debian.example/debian sid main',
      'deb [signed-by=/usr/share/keyrings/debian.gpg arch=amd64] http://m.example/debian sid main'
    ],
    ['# deb http://debian.example/debian', '# deb http://m.example/debian'],
    ['deb https://download.docker.com/linux/debian bookworm stable', 'same'],
    ['deb https://download.example/debian-ports sid main', 'same'],
    ['deb file:/srv/debian sid main', 'same']
  ])('turn from %j to %j', (before, after) => {
    root.write('etc/apt/sources.list', `${before}\n`)
    prime({aptMirror})
    expect(root.read('etc/apt/sources.list')).toBe(`${after === 'same' ? before : after}\n`)
  })

  it('are found in lists and deb822 sources wherever apt looks, and nowhere else', () => {
    root.write(
      'etc/apt/sources.list.d/debian.sources',
      'Types: deb\nURIs: http://debian.example/debian http://debian.example/debian-security\nSuites: bookworm\n'
    )
    root.write('etc/apt/sources.list.d/extra.list', 'deb http://debian.example/debian sid main\n')
    root.write('etc/apt/sources.list.d/extra.list.save', 'deb http://debian.example/debian sid main\n')
    prime({aptMirror: 'https://m.example:8443/all'})
    expect(root.read('etc/apt/sources.list.d/debian.sources')).toBe(
      'Types: deb\nURIs: https://m.example:8443/all/debian https://m.example:8443/all/debian-security\nSuites: bookworm\n'
    )
    expect(root.read('etc/apt/sources.list.d/extra.list')).toBe('deb https://m.example:8443/all/debian sid main\n')
    expect(root.read('etc/apt/sources.list.d/extra.list.save')).toContain('debian.example')
  })

  it('stay the same when they are primed again', () => {
    root.write('etc/apt/sources.list', 'deb http://debian.example/debian bookworm main\n')
    prime({aptMirror})
    const once = root.read('etc/apt/sources.list')
    prime({aptMirror})
    expect(root.read('etc/apt/sources.list')).toBe(once)
  })

  it('take a mirror whose name means something to sed or a shell', () => {
    root.write('etc/apt/sources.list', 'deb http://debian.example/debian bookworm main\n')
    prime({aptMirror: String.raw`http://m.example/a&b#c\1'd`})
    expect(root.read('etc/apt/sources.list')).toBe(
      `${String.raw`deb http://m.example/a&b#c\1'd/debian`} bookworm main\n`
    )
  })

  it('may be asked directly when strict has walls for everything else', () => {
    const direct = {...networkWith().direct, apt: true}
    mkdirSync(join(root.path, 'etc/apt/apt.conf.d'), {recursive: true})
    prime({strict: true, direct, proxies: {https: 'http://proxy:1'}})
    expect(root.read('etc/apt/apt.conf.d/99build-moby')).toBe('Acquire::http::Proxy "DIRECT";\n')
  })
})

describe('package sources of Alpine', () => {
  it('turn to the mirror, tags and other repositories kept', () => {
    root.write(
      'etc/apk/repositories',
      'https://dl-cdn.alpinelinux.org/alpine/v3.22/main\n@edge http://h:1/alpine/edge/testing\nhttps://h/own/main\n/mnt\n'
    )
    prime({apkMirror: 'http://m.example/os'})
    expect(root.read('etc/apk/repositories')).toBe(
      'http://m.example/os/alpine/v3.22/main\n@edge http://m.example/os/alpine/edge/testing\nhttps://h/own/main\n/mnt\n'
    )
  })
})

describe('the configuration of git', () => {
  it('has every rule, and what was there', async () => {
    const file = root.write('etc/gitconfig', '[user]\n\tname = A\n')
    prime({
      gitMirrors: [
        {from: 'https://github.com/moby/', to: 'https://m.example/100%25/moby/'},
        {from: 'https://github.com/', to: 'http://10.0.0.1:8080/its/'},
        {from: 'https://h/a#b;c', to: String.raw`https://m/"\d'$e/`}
      ]
    })
    expect((await git('config', '--file', file, '--list')).split('\n')).toEqual([
      'user.name=A',
      'url.https://m.example/100%25/moby/.insteadof=https://github.com/moby/',
      'url.http://10.0.0.1:8080/its/.insteadof=https://github.com/',
      String.raw`url.https://m/"\d'$e/.insteadof=https://h/a#b;c`
    ])
  })

  it('makes git ask the mirror with the longest prefix', async () => {
    await makeRepository(join(root.path, 'work'), join(root.path, 'mirror', 'b.git'))
    prime({
      gitMirrors: [
        {from: 'https://github.invalid/', to: `file://${root.path}/nowhere/`},
        {from: 'https://github.invalid/a/', to: `file://${root.path}/mirror/`}
      ]
    })
    const text = execFileSync('git', ['ls-remote', 'https://github.invalid/a/b.git', 'refs/heads/main'], {
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: join(root.path, 'etc/gitconfig'),
        GIT_ALLOW_PROTOCOL: 'file:http:https'
      },
      encoding: 'utf8'
    })
    expect(text).toMatch(/^[0-9a-f]{40}\trefs\/heads\/main\n$/)
  })
})

describe('the certificates', () => {
  const certificate = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`

  it('join those of the image, and are kept one by one for a bundle that is made later', () => {
    root.write('etc/ssl/certs/ca-certificates.crt', certificate('public'))
    prime({certificates: certificate('one$') + certificate('two+/=')})
    expect(root.read('etc/ssl/certs/ca-certificates.crt')).toBe(
      certificate('public') + certificate('one$') + certificate('two+/=')
    )
    expect(root.read('usr/local/share/ca-certificates/build-moby-1.crt')).toBe(certificate('one$'))
    expect(root.read('usr/local/share/ca-certificates/build-moby-2.crt')).toBe(certificate('two+/='))
  })

  it('are a bundle of their own in an image without one', () => {
    prime({certificates: certificate('one')})
    expect(root.read('etc/ssl/certs/ca-certificates.crt')).toBe(certificate('one'))
  })
})

describe('an image', () => {
  it('gets the source of Ruby gems', () => {
    prime({gemSource: 'https://gems.example/a%20"b"/'})
    expect(parse(root.read('etc/gemrc'))).toEqual({':sources': ['https://gems.example/a%20"b"/']})
  })

  it('takes no harm where it has nothing to be primed', () => {
    expect(() => {
      prime({aptMirror: 'http://m.example', apkMirror: 'http://m.example'})
      prime({strict: true, direct: {...networkWith().direct, apt: true}})
    }).not.toThrow()
  })
})
