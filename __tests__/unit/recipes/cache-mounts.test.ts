import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {cacheMounts} from '../../../src/recipes/cache-mounts.js'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import type {BuildVariables} from '../../../src/recipes/needed-stages.js'

const native: BuildVariables = {arguments: {}, buildPlatform: 'linux/amd64', targetPlatforms: ['linux/amd64']}

function mountsOf(lines: readonly string[], variables: Partial<BuildVariables> = {}) {
  return cacheMounts(parseDockerfile(lines.join('\n')), 'target', {...native, ...variables})
}

/** The only mount of a step in a stage on the image `golang:1`, whose working directory is /go. */
function mountOf(flags: string, ...before: string[]) {
  return mountsOf(['FROM golang:1 AS target', ...before, `RUN --mount=${flags} make`])[0]
}

const tree = (name: string) =>
  parseDockerfile(
    readFileSync(join(import.meta.dirname, '..', '..', '..', 'sandbox', 'trees', name, 'Dockerfile'), 'utf8')
  )

describe('cacheMounts', () => {
  it('finds those of the stages that the target needs, several in one step included', () => {
    const mounts = mountsOf([
      'FROM one AS unused',
      'RUN --mount=type=cache,target=/unused make',
      'FROM two AS tool',
      'RUN --mount=type=cache,target=/tool make',
      'FROM three AS target',
      'COPY --from=tool / /',
      'RUN --mount=type=bind,target=. --mount=type=cache,target=/a --mount=type=cache,id=b,target=/b <<EOT',
      'make',
      'EOT'
    ])
    expect(mounts.map(({id, image, line}) => [id, image, line])).toEqual([
      ['/tool', 'two', 4],
      ['/a', 'three', 7],
      ['b', 'three', 7]
    ])
  })

  it('resolves what the stage declares, for each platform, and nothing else', () => {
    const lines = [
      'ARG GLOBAL=outer',
      'FROM one AS target',
      'RUN --mount=type=cache,id=early-$TARGETPLATFORM,target=/a make',
      'ARG TARGETPLATFORM',
      'ARG NAME=x',
      'RUN --mount=type=cache,id=$NAME-${TARGETPLATFORM}$GLOBAL,target=/$NAME make'
    ]
    const variables = {arguments: {NAME: 'y'}, targetPlatforms: ['linux/amd64', 'linux/arm/v7']}
    expect(mountsOf(lines, variables).map(({platform, id, target}) => [platform, id, target])).toEqual([
      ['linux/amd64', 'early-', '/a'],
      ['linux/amd64', 'y-linux/amd64', '/y'],
      ['linux/arm/v7', 'early-', '/a'],
      ['linux/arm/v7', 'y-linux/arm/v7', '/y']
    ])
  })

  it.each([
    ['target=/root/.cache/', '/root/.cache', '/root/.cache'],
    ['dst=/a/../b', '/b', '/b'],
    ['destination=cache', 'cache', '/go/cache'],
    ['target=/a,id=', '/a', '/a'],
    ['target=/a,ID=b', 'b', '/a']
  ])('takes the target for the id when there is none: %s', (fields, id, target) => {
    expect(mountOf(`type=cache,${fields}`)).toMatchObject({id, target})
  })

  it('resolves the target against the working directory', () => {
    expect(mountOf('type=cache,target=.cache', 'WORKDIR /src', 'WORKDIR sub')?.target).toBe('/src/sub/.cache')
  })

  it('knows how it is shared, whose it is and what it begins with', () => {
    expect(mountOf('type=cache,target=/a')).toMatchObject({sharing: 'shared', owner: []})
    expect(mountOf('type=cache,target=/a')).not.toHaveProperty('from')
    expect(mountOf('type=cache,target=/a,sharing=LOCKED,mode=0700,uid=5,gid=6')).toMatchObject({
      sharing: 'locked',
      owner: ['uid=5', 'gid=6', 'mode=0700']
    })
    expect(mountOf('type=cache,target=/a,sharing=private,from=base,source=/x')).toMatchObject({
      sharing: 'private',
      from: 'base'
    })
    expect(mountOf('type=cache,target=/a,source=/x')).toMatchObject({from: ''})
  })

  it.each([
    ['/root/.cache/go-build', 'compiler'],
    ['/root/.cache', 'compiler'],
    ['/gocache', 'compiler'],
    ['/go/pkg/mod', 'modules'],
    ['/modules', 'modules'],
    ['/var/cache/apt', 'packages'],
    ['/var/lib/apt', 'packages'],
    ['/etc/apk', 'packages'],
    ['/var/cache/apk', 'packages'],
    ['/src/.git', 'other'],
    ['/root/.cache/pip', 'other']
  ])('at %s is of the kind %s', (target, kind) => {
    expect(mountOf(`type=cache,target=${target}`, 'ENV GOCACHE=/gocache GOMODCACHE=/modules')?.kind).toBe(kind)
  })

  it('are none of other types', () => {
    expect(mountOf('type=bind,target=/a')).toBeUndefined()
    expect(mountOf('target=/a')).toBeUndefined()
    expect(mountOf('type=cache')).toBeUndefined()
  })
})

describe('the miniatures', () => {
  it.each([
    ['moby-28', 'binary', ['/root/.cache/go-build', '/go/pkg/mod', 'moby-build-linux/amd64']],
    [
      'moby-28',
      'all',
      [
        '/root/.cache/go-build',
        '/go/pkg/mod',
        'containerd-build-linux/amd64',
        'runc-build-linux/amd64',
        'tini-build-linux/amd64',
        'rootlesskit-build-linux/amd64',
        'moby-build-linux/amd64'
      ]
    ],
    ['cli-28', 'binary', ['/root/.cache']],
    ['cli-alpine', 'binary', ['/root/.cache']]
  ])('%s has for %s the mounts of Go %j', (name, target, ids) => {
    const mounts = cacheMounts(tree(name), target, native).filter(({kind}) => kind === 'compiler' || kind === 'modules')
    expect([...new Set(mounts.map(({id}) => id))]).toEqual(ids)
    expect(mounts.every(({image}) => image.startsWith('golang:1.24.9-'))).toBe(true)
  })
})
