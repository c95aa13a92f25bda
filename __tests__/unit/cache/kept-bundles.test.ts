import {describe, expect, it} from '@jest/globals'
import {originOf, parseKept, renderKept} from '../../../src/cache/kept-bundles.js'
import type {ReuseFacts} from '../../../src/cache/reuse.js'
import {bundleWith} from '../../support/outcome.js'

const build = {
  component: 'daemon',
  commit: '8'.repeat(40),
  recipe: 'moby-bake',
  bakeTarget: 'all',
  stage: 'all',
  platforms: ['linux/amd64'],
  stamp: {binary: 'dockerd', version: '28.5.2', commit: '8888888'},
  dockerfile: 'd',
  dockerignore: 'i',
  arguments: 'a',
  frontend: 'docker/dockerfile:1',
  images: {'docker.io/docker/dockerfile:1': 'sha256:1'}
} as const
const facts: ReuseFacts = {schema: 1, program: 'p', verify: 'version', builds: [build]}
const origin = {when: '2026-11-20T03:12:44Z', run: 'https://github.com/me/moby/actions/runs/7'}
const text = renderKept(facts, origin, [bundleWith('binary-daemon')])

describe('parseKept', () => {
  it('reads what renderKept wrote', () => {
    const {name, files, archive} = bundleWith('binary-daemon')
    expect(parseKept(text, facts)).toEqual({
      facts,
      origin,
      bundles: [{name, files, archive: {size: archive.size, sha256: archive.sha256}}]
    })
  })

  it('takes nothing of other facts', () => {
    expect(parseKept(text, {...facts, verify: 'off'})).toBeUndefined()
    expect(parseKept(text, {...facts, builds: [build, {...build, component: 'client'}]})).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['half of it', text.slice(0, 300)],
    ['a path that leads out', text.replace('"dockerd",\n          "mode"', '"../dockerd",\n          "mode"')],
    ['an absolute path', text.replace('"path": "dockerd"', '"path": "/usr/bin/dockerd"')],
    ['another bundle', text.replace('"binary-daemon"', '"../binary-daemon"')],
    ['a digest that is none', text.replace('a'.repeat(64), 'a'.repeat(63))],
    ['a mode that is none', text.replace('"mode": 493', '"mode": "493"')],
    ['no files', text.replace(/"files": \[[^\]]*\]/, '"files": []')],
    ['no bundle', text.replace(/"bundles": \[[^]*\n {2}\]/, '"bundles": []')],
    ['no time', text.replace('2026-11-20T03:12:44Z', 'yesterday')]
  ])('refuses %s', (_what, damaged) => {
    expect(damaged).not.toBe(text)
    expect(parseKept(damaged, facts)).toBeUndefined()
  })

  it('shows no link but one to a page', () => {
    const strange = text.replace('https://github.com/me', 'javascript:alert(1)//')
    expect(parseKept(strange, facts)?.origin).toEqual({when: origin.when})
  })
})

describe('originOf', () => {
  const now = new Date('2026-11-20T03:12:44.567Z')

  it('is the time, and on GitHub the page of the run', () => {
    expect(originOf(now, {})).toEqual({when: '2026-11-20T03:12:44Z'})
    const github = {GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'me/moby', GITHUB_RUN_ID: '7'}
    expect(originOf(now, github)).toEqual(origin)
  })
})
