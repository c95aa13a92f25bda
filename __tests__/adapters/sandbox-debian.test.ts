import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {aptSources} from '../../sandbox/debian.js'

describe("this machine's apt sources", () => {
  let directory: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'apt-sources-test-'))
    await mkdir(join(directory, 'sources.list.d'))
  })

  afterEach(async () => {
    await rm(directory, {recursive: true})
  })

  it.each([
    ['a plain line', 'deb http://mirror.example/debian bookworm main', []],
    [
      'a line with settings',
      'deb [signed-by=/key.gpg check-valid-until=no] http://mirror.example/debian/ bookworm main',
      ['Signed-By: /key.gpg', 'Check-Valid-Until: no']
    ],
    [
      'no line of source packages',
      'deb-src http://other.example/debian bookworm main\ndeb http://mirror.example/debian bookworm main',
      []
    ],
    [
      'no line that is a comment',
      '# deb http://other.example/debian bookworm main\ndeb http://mirror.example/debian bookworm main',
      []
    ]
  ])('are taken from %s of sources.list', async (_what, text, trust) => {
    await writeFile(join(directory, 'sources.list'), `${text}\n`)

    expect(await aptSources(directory)).toEqual([{uri: 'http://mirror.example/debian', trust}])
  })

  it.each([
    ['a stanza', 'Types: deb deb-src\nURIs: https://mirror.example/debian\nSuites: trixie\nComponents: main', []],
    [
      'a stanza with comments',
      'Types: deb\n# URIs: https://other.example/debian\nURIs: https://mirror.example/debian\nSigned-By: /key.gpg',
      ['Signed-By: /key.gpg']
    ],
    [
      'a stanza with a key in it',
      'types: deb\nuris: https://mirror.example/debian\nsigned-by:\n -----BEGIN\n .\n abc\nsuites: trixie',
      ['Signed-By: \n -----BEGIN\n .\n abc']
    ],
    [
      'no stanza that is switched off',
      'Types: deb\nURIs: https://other.example/debian\nEnabled: no\n\nTypes: deb\nURIs: https://mirror.example/debian',
      []
    ]
  ])('are taken from %s', async (_what, text, trust) => {
    await writeFile(join(directory, 'sources.list.d/debian.sources'), `${text}\n`)

    expect(await aptSources(directory)).toEqual([{uri: 'https://mirror.example/debian', trust}])
  })

  it('are none where apt is not configured', async () => {
    expect(await aptSources(join(directory, 'missing'))).toEqual([])
  })
})
