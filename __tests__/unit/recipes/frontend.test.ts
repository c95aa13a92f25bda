import {describe, expect, it} from '@jest/globals'
import {ConfigurationError} from '../../../src/errors.js'
import type {Version} from '../../../src/engine/versions.js'
import {chooseFrontend, syntaxImage} from '../../../src/recipes/frontend.js'

const floating = '# syntax=docker/dockerfile:1\nFROM x\n'
const pinned = '# syntax=docker/dockerfile:1.7\nFROM x\n'
const query = `${floating}ADD https://h/a.git?ref=v1 .\n`
const name = 'mirror.example/docker/dockerfile:1'
const choose = (dockerfile: string, has: boolean | undefined, buildkit?: Version) =>
  chooseFrontend(dockerfile, has, name, buildkit)

describe('syntaxImage', () => {
  it('is what the directive names', () => {
    expect(syntaxImage(floating)).toBe('docker/dockerfile:1')
    expect(syntaxImage('FROM x\n')).toBeUndefined()
  })
})

describe('chooseFrontend', () => {
  it('is the built-in one for a Dockerfile that asks for none', () => {
    expect(choose('FROM x\n', false, [0, 11, 0])).toEqual({kind: 'built-in'})
  })

  it.each([true, undefined])('is the image when the mirror has it or does not say (%s)', has => {
    expect(choose(floating, has, [0, 11, 0])).toEqual({kind: 'image', image: 'docker/dockerfile:1'})
  })

  it.each<[string, string, Version]>([
    ['needs what every BuildKit has', floating, [0, 11, 0]],
    ['pins its minor', pinned, [0, 13, 0]],
    ['adds a repository by query', query, [0, 24, 0]]
  ])('is the built-in one of a BuildKit that is new enough for a Dockerfile that %s', (_what, dockerfile, buildkit) => {
    const chosen = choose(dockerfile, false, buildkit)
    expect(chosen.kind).toBe('built-in')
    expect(chosen.why).toContain(`mirror has no ${name}`)
    expect(chosen.why).toContain(`BuildKit ${buildkit.join('.')}`)
  })

  it('is the built-in one of a builder that is not running yet', () => {
    expect(choose(query, false).kind).toBe('built-in')
  })

  it.each<[string, string, Version]>([
    ['pins a later one', pinned, [0, 12, 5]],
    ['adds a repository by query', query, [0, 23, 2]]
  ])('refuses an old BuildKit when the Dockerfile %s', (_what, dockerfile, buildkit) => {
    const refused = () => choose(dockerfile, false, buildkit)
    expect(refused).toThrow(ConfigurationError)
    expect(refused).toThrow(/^'registry-mirrors': the mirror has no .* to the mirror, or update the engine\.$/)
    expect(refused).toThrow(`BuildKit ${buildkit.join('.')} is too old`)
  })
})
