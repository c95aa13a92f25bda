import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {isPriming, primedDockerfile} from '../../../src/network/primed-base.js'
import {git, makeRepository} from '../../support/bare-repository.js'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'primed-base-'))
})

afterEach(() => {
  rmSync(root, {recursive: true})
})

/** Runs the RUN lines of a Dockerfile for real, with `root` in place of the image's own. */
function runSteps(dockerfile: string): void {
  for (const [, command = ''] of dockerfile.matchAll(/^RUN (.*)$/gm)) {
    execFileSync('sh', ['-c', command.replaceAll('/etc/', `${root}/etc/`)])
  }
}

function write(path: string, text: string): string {
  const whole = join(root, path)
  mkdirSync(dirname(whole), {recursive: true})
  writeFileSync(whole, text)
  return whole
}

const nothing = {gitMirrors: [], environment: {}}

describe('primedDockerfile', () => {
  it('is the image itself on the platform of the builder, and its environment', () => {
    const environment = {GOPROXY: 'https://goproxy.example,direct', GOSUMDB: 'off'}
    expect(primedDockerfile('golang:1.24', {...nothing, environment})).toBe(
      'FROM --platform=$BUILDPLATFORM golang:1.24\nENV GOPROXY="https://goproxy.example,direct"\nENV GOSUMDB="off"\n'
    )
  })

  it('is one line for each step', () => {
    const priming = {...nothing, aptMirror: 'http://m.example', gitMirrors: [{from: 'https://a/', to: 'https://b/'}]}
    expect(
      primedDockerfile('debian', priming)
        .trim()
        .split('\n')
        .map(line => line.split(' ')[0])
    ).toEqual(['FROM', 'RUN', 'RUN'])
  })

  it('is wanted as soon as anything is to be primed', () => {
    expect(isPriming(nothing)).toBe(false)
    expect(isPriming({...nothing, aptMirror: 'http://m.example'})).toBe(true)
    expect(isPriming({...nothing, gitMirrors: [{from: 'https://a/', to: 'https://b/'}]})).toBe(true)
    expect(isPriming({...nothing, environment: {GOPROXY: 'off'}})).toBe(true)
  })
})

describe('the step for package sources', () => {
  const prime = (mirror: string) => {
    runSteps(primedDockerfile('debian', {...nothing, aptMirror: mirror}))
  }

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
  ])('turns %j into %j', (before, after) => {
    const list = write('etc/apt/sources.list', `${before}\n`)
    prime('http://m.example')
    expect(readFileSync(list, 'utf8')).toBe(`${after === 'same' ? before : after}\n`)
  })

  it('finds lists and deb822 sources wherever apt looks, and nothing else', () => {
    const deb822 =
      'Types: deb\nURIs: http://debian.example/debian http://debian.example/debian-security\nSuites: bookworm\n'
    const sources = write('etc/apt/sources.list.d/debian.sources', deb822)
    const list = write('etc/apt/sources.list.d/extra.list', 'deb http://debian.example/debian sid main\n')
    const saved = write('etc/apt/sources.list.d/extra.list.save', 'deb http://debian.example/debian sid main\n')
    prime('https://m.example:8443/all')
    expect(readFileSync(sources, 'utf8')).toBe(
      'Types: deb\nURIs: https://m.example:8443/all/debian https://m.example:8443/all/debian-security\nSuites: bookworm\n'
    )
    expect(readFileSync(list, 'utf8')).toBe('deb https://m.example:8443/all/debian sid main\n')
    expect(readFileSync(saved, 'utf8')).toContain('debian.example')
  })

  it('does no harm in an image without apt', () => {
    expect(() => {
      prime('http://m.example')
    }).not.toThrow()
  })

  it('comes to the same when it runs again', () => {
    const list = write('etc/apt/sources.list', 'deb http://debian.example/debian bookworm main\n')
    prime('http://m.example')
    const once = readFileSync(list, 'utf8')
    prime('http://m.example')
    expect(readFileSync(list, 'utf8')).toBe(once)
  })
})

describe('the step for git', () => {
  const prime = (...gitMirrors: {from: string; to: string}[]) => {
    runSteps(primedDockerfile('debian', {...nothing, gitMirrors}))
    return join(root, 'etc', 'gitconfig')
  }

  it('gives git every rule, and keeps what was there', async () => {
    const file = write('etc/gitconfig', '[user]\n\tname = A\n')
    prime(
      {from: 'https://github.com/moby/', to: 'https://m.example/100%25/moby/'},
      {from: 'https://github.com/', to: 'http://10.0.0.1:8080/its/'}
    )
    expect((await git('config', '--file', file, '--list')).split('\n')).toEqual([
      'user.name=A',
      'url.https://m.example/100%25/moby/.insteadof=https://github.com/moby/',
      'url.http://10.0.0.1:8080/its/.insteadof=https://github.com/'
    ])
  })

  it('makes git clone from the mirror', async () => {
    mkdirSync(join(root, 'etc'))
    mkdirSync(join(root, 'mirror', 'a'), {recursive: true})
    await makeRepository(join(root, 'work'), join(root, 'mirror', 'a', 'b.git'))
    const file = prime({from: 'https://github.invalid/', to: `file://${root}/mirror/`})
    const text = execFileSync('git', ['ls-remote', 'https://github.invalid/a/b.git', 'refs/heads/main'], {
      env: {PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: file},
      encoding: 'utf8'
    })
    expect(text).toMatch(/^[0-9a-f]{40}\trefs\/heads\/main\n$/)
  })
})
