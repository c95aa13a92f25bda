import {execFile, spawnSync} from 'node:child_process'
import {mkdirSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {primingOf} from '../../src/network/primed-base.js'
import {networkWith} from '../support/network.js'
import {primedRoot, type PrimedRoot} from '../support/primed-root.js'
import {serve} from '../support/loopback.js'

let root: PrimedRoot

beforeEach(() => {
  root = primedRoot()
  root.prime(
    primingOf(
      networkWith({
        downloadMirrors: [
          {from: 'https://up.example/a/b/', to: 'http://mirror/ab/'},
          {from: 'https://up.example/a/', to: 'http://mirror/a/'},
          {from: "https://up.example/it's*$HOME", to: "http://mirror/it's*$HOME"}
        ]
      })
    )
  )
})

afterEach(() => {
  root.remove()
})

/** Puts a program into a directory of the root that writes its own path and arguments, one on each line. */
function install(path: string): void {
  const file = root.write(path, '#!/bin/sh\nprintf "%s\\n" "$0" "$@"\nexit 7\n')
  spawnSync('chmod', ['755', file])
}

function run(name: string, args: readonly string[], path = 'usr/local/bin:usr/bin:bin') {
  const directories = path.split(':').map(directory => (directory === '' ? '' : join(root.path, directory)))
  const {status, stdout, stderr} = spawnSync(join(root.path, 'usr/local/bin', name), args, {
    env: {PATH: directories.join(':'), HOME: '/home'},
    cwd: join(root.path, 'usr/local/bin'),
    encoding: 'utf8'
  })
  return {status, lines: stdout.split('\n').slice(0, -1), stderr}
}

describe.each(['curl', 'wget'])('%s in a primed base', name => {
  it.each([
    [['https://up.example/a/file?x=1&y=2'], ['http://mirror/a/file?x=1&y=2']],
    [['https://up.example/a/b/file'], ['http://mirror/ab/file']],
    [
      ['-o', 'a file', '-fsSL', 'https://up.example/a/x', 'https://up.example/a/b/y'],
      ['-o', 'a file', '-fsSL', 'http://mirror/a/x', 'http://mirror/ab/y']
    ],
    [
      ['--url', 'https://up.example/a/x', '--url=https://up.example/a/b/y'],
      ['--url', 'http://mirror/a/x', '--url=http://mirror/ab/y']
    ],
    [["https://up.example/it's*$HOME/x"], ["http://mirror/it's*$HOME/x"]],
    [
      ['https://up.example/its', 'https://up.example/b', 'see https://up.example/a/', '', '*', '-H', 'a: "b" \\ $c\nd'],
      [
        'https://up.example/its',
        'https://up.example/b',
        'see https://up.example/a/',
        '',
        '*',
        '-H',
        'a: "b" \\ $c',
        'd'
      ]
    ],
    [[], []]
  ])('turns %j into %j', (args, expected) => {
    install(`usr/bin/${name}`)
    expect(run(name, args)).toEqual({status: 7, lines: [join(root.path, 'usr/bin', name), ...expected], stderr: ''})
  })

  it('takes the first program of its name that is not itself', () => {
    install(`bin/${name}`)
    mkdirSync(join(root.path, 'link'))
    symlinkSync(join(root.path, 'usr/local/bin', name), join(root.path, 'link', name))
    root.write(`usr/bin/${name}`, 'not a program')
    expect(run(name, [], 'link::usr/local/bin/:usr/bin:bin').lines).toEqual([join(root.path, 'bin', name)])
  })

  it('is not found where there is no such program', () => {
    expect(run(name, ['https://up.example/a/'])).toEqual({status: 127, lines: [], stderr: `sh: ${name}: not found\n`})
  })
})

describe('a download in a primed base', () => {
  it('comes from the mirror', async () => {
    const mirror = await serve((request, response) => response.end(`mirror's ${request.url ?? ''}`))
    try {
      const rules = [{from: 'https://up.example/', to: `http://${mirror.host}/ups/`}]
      root.prime(primingOf(networkWith({downloadMirrors: rules})))
      const client = root.write(
        'usr/bin/curl',
        `#!${process.execPath}\nfetch(process.argv.at(-1)).then(a => a.text()).then(console.log)\n`
      )
      spawnSync('chmod', ['755', client])
      const {stdout} = await promisify(execFile)('sh', ['-c', 'curl -fsSL https://up.example/file'], {
        env: {PATH: `${root.path}/usr/local/bin:${root.path}/usr/bin:/usr/bin:/bin`}
      })
      expect(stdout).toBe("mirror's /ups/file\n")
    } finally {
      await mirror.stop()
    }
  })
})
