import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import {externalSources} from '../../../src/recipes/external-sources.js'
import type {BuildVariables} from '../../../src/recipes/needed-stages.js'
import {isScript} from '../../../src/recipes/recipe.js'

const native: BuildVariables = {arguments: {}, buildPlatform: 'linux/amd64', targetPlatforms: ['linux/amd64']}

/** Images as `line name`, with a `*` when something is downloaded on top of them, and added sources. */
function sourcesOf(text: string, target: string, variables: Partial<BuildVariables> = {}) {
  const {images, adds} = externalSources(parseDockerfile(text), target, {...native, ...variables}, {})
  return {
    images: images.map(({spelled, line, downloads}) => `${line} ${spelled}${downloads ? ' *' : ''}`),
    adds: adds.map(({kind, url, line}) => `${line} ${kind} ${url}`)
  }
}

/** Lines of the steps of the target `target` that download nothing. */
function quietSteps(text: string, variables: Partial<BuildVariables> = {}) {
  return externalSources(parseDockerfile(text), 'target', {...native, ...variables}, {}).quietSteps
}

const directory = (name: string) => join(import.meta.dirname, '..', '..', '..', 'sandbox', 'trees', name)
const tree = (name: string) => readFileSync(join(directory(name), 'Dockerfile'), 'utf8')
function scripts(name: string) {
  const paths = readdirSync(directory(name), {recursive: true, withFileTypes: true})
    .filter(entry => entry.isFile() && isScript(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
  return Object.fromEntries(paths.map(path => [path.slice(directory(name).length + 1), readFileSync(path, 'utf8')]))
}
const small = (...lines: string[]) => lines.join('\n')

describe('externalSources', () => {
  it('follows stages, COPY --from and mounts, and nothing that the target does not need', () => {
    const text = small(
      'FROM one AS a',
      'FROM two AS b',
      'FROM three AS unused',
      'ADD https://x.example/unused.git .',
      'FROM a AS target',
      'COPY --from=b / /',
      'COPY --from=four:1 / /',
      'RUN --mount=type=bind,from=five,src=/x echo',
      'FROM target',
      'FROM six AS later'
    )
    expect(sourcesOf(text, 'target')).toEqual({images: ['1 one', '2 two', '7 four:1', '8 five'], adds: []})
  })

  it.each([
    ['TARGET', ['2 two']],
    ['0', ['1 one']],
    ['9', []],
    ['nowhere', []]
  ])('finds the stage %s', (target, images) => {
    expect(sourcesOf(small('FROM one AS first', 'FROM two AS Target'), target).images).toEqual(images)
  })

  it('takes a name for the stage above it, and for an image when there is none yet', () => {
    expect(sourcesOf(small('FROM debian AS debian', 'FROM debian AS target'), 'target').images).toEqual(['1 debian'])
  })

  it.each([
    ['apt-get update', true],
    ['xx-apt-get install gcc', true],
    ['set -e; git clone https://x.example/y', true],
    ['curl -fsSL https://x.example', true],
    ['git fetch origin', true],
    ['make', false],
    ['CGO_ENABLED=0 go build .', false],
    ['mkdir -p /build && echo cargo > forgit.txt', false]
  ])('knows of the step %j whether it downloads: %s', (step, downloads) => {
    const text = small('FROM one AS a', 'FROM a AS b', `RUN ${step}`, 'FROM scratch AS target', 'COPY --from=b / /')
    expect(sourcesOf(text, 'target').images).toEqual([downloads ? '1 one *' : '1 one'])
    expect(quietSteps(text)).toEqual(downloads ? [] : [3])
  })

  it('lets no step be quiet that downloads on one of the platforms', () => {
    const text = small('FROM one AS target', 'ARG TARGETARCH', 'RUN case $TARGETARCH in arm64) apt-get update;; esac')
    const on = (...targetPlatforms: string[]) => quietSteps(text, {targetPlatforms})
    expect([on('linux/amd64'), on('linux/amd64', 'linux/arm64')]).toEqual([[3], []])
  })

  it('looks into here-documents for downloads', () => {
    expect(sourcesOf(small('FROM one AS target', 'RUN <<EOT', 'git clone https://x', 'EOT'), 'target').images).toEqual([
      '1 one *'
    ])
  })

  it('does not count a download beside an image that is only copied from', () => {
    const text = small('FROM one AS target', 'COPY --from=two / /', 'RUN apt-get update')
    expect(sourcesOf(text, 'target').images).toEqual(['1 one *', '2 two'])
  })
})

describe('the variables', () => {
  const text = small(
    'ARG GO=1.0',
    'ARG IMAGE="golang:${GO}-bookworm"',
    'FROM ${IMAGE} AS target',
    'ARG GO',
    'ARG REF=v1',
    'ENV HOST=x.example',
    'ADD https://${HOST}/a.git?ref=${REF}&go=${GO} /src'
  )

  it('are the defaults of the Dockerfile', () => {
    expect(sourcesOf(text, 'target')).toEqual({
      images: ['3 golang:1.0-bookworm'],
      adds: ['7 git https://x.example/a.git?ref=v1&go=1.0']
    })
  })

  it.each([
    [{GO: '2.0'}, '3 golang:2.0-bookworm', '7 git https://x.example/a.git?ref=v1&go=2.0'],
    [{IMAGE: 'debian'}, '3 debian', '7 git https://x.example/a.git?ref=v1&go=1.0'],
    [{REF: 'v2'}, '3 golang:1.0-bookworm', '7 git https://x.example/a.git?ref=v2&go=1.0'],
    [{HOST: 'y.example'}, '3 golang:1.0-bookworm', '7 git https://x.example/a.git?ref=v1&go=1.0']
  ])('are overridden by %j, an ENV never', (given, image, add) => {
    expect(sourcesOf(text, 'target', {arguments: given})).toEqual({images: [image], adds: [add]})
  })

  it('of one stage are not seen in another', () => {
    const stages = small(
      'FROM one AS a',
      'ARG X=1',
      'FROM two AS target',
      'COPY --from=a / /',
      'ADD https://h/$X.git .'
    )
    expect(sourcesOf(stages, 'target').adds).toEqual(['5 git https://h/.git'])
  })

  it('of a stage are inherited by those built on it, ENV before ARG', () => {
    const stages = small(
      'FROM one AS a',
      'ARG X=1',
      'ENV Y=2',
      'FROM a AS target',
      'ARG Y=3',
      'ADD https://h/$X$Y.git .',
      'RUN curl https://h/$X$Y'
    )
    expect(sourcesOf(stages, 'target', {arguments: {X: '5', Y: '6'}}).adds).toEqual(['6 git https://h/52.git'])
    const {steps} = externalSources(parseDockerfile(stages), 'target', native, {})
    expect(steps.map(({url, baseImage}) => [url, baseImage])).toEqual([['https://h/12', 'one']])
  })

  it('of the platforms choose the stages, and all platforms count', () => {
    const text = small(
      'FROM --platform=$BUILDPLATFORM build-${BUILDARCH} AS base',
      'FROM one AS os-linux',
      'FROM two AS os-windows',
      'FROM os-${TARGETOS} AS target',
      'ARG TARGETARCH',
      'ARG TARGETVARIANT',
      'COPY --from=base / /',
      'COPY --from=three-${TARGETARCH}${TARGETVARIANT} / /'
    )
    const on = (...targetPlatforms: string[]) => sourcesOf(text, 'target', {targetPlatforms}).images
    expect(on('linux/arm/v7')).toEqual(['1 build-amd64', '2 one', '8 three-armv7'])
    expect(on('linux/amd64', 'windows/amd64')).toEqual(['1 build-amd64', '2 one', '3 two', '8 three-amd64'])
  })
})

describe('an ADD', () => {
  it.each([
    ['https://github.com/a/b.git .', ['git https://github.com/a/b.git']],
    ['--keep-git-dir https://github.com/a/b.git#v1:sub /x', ['git https://github.com/a/b.git#v1:sub']],
    ['https://github.com/a/b.git?ref=v1 .', ['git https://github.com/a/b.git?ref=v1']],
    ['git@github.com:a/b.git .', ['git git@github.com:a/b.git']],
    ['git://h/a .', ['git git://h/a']],
    ['--chmod=0644 https://h/Release.key /etc/', ['http https://h/Release.key']],
    ['https://h/one https://h/two /', ['http https://h/one', 'http https://h/two']],
    ['file.tar /', []]
  ])('of %j comes from outside: %j', (add, expected) => {
    const {adds} = sourcesOf(small('FROM scratch AS target', `ADD ${add}`), 'target')
    expect(adds.map(source => source.slice(2))).toEqual(expected)
  })
})

describe('the miniature trees', () => {
  it.each([
    ['moby-28', 'binary', ['tonistiigi/xx:1.6.1', 'golang:1.24.9-bookworm *'], 0],
    ['moby-28', 'all', ['tonistiigi/xx:1.6.1', 'golang:1.24.9-bookworm *'], 0],
    ['moby-29', 'binary', ['tonistiigi/xx:1.9.0', 'golang:1.26.5-bookworm *'], 1],
    ['moby-29', 'all', ['tonistiigi/xx:1.9.0', 'golang:1.26.5-bookworm *'], 5],
    ['cli-28', 'binary', ['tonistiigi/xx:1.6.1', 'golang:1.24.9-bookworm *'], 0]
  ])('%s takes for %s: %j and %d repositories', (name, target, images, repositories) => {
    const found = externalSources(parseDockerfile(tree(name)), target, native, scripts(name))
    expect(found.images.map(({spelled, downloads}) => `${spelled}${downloads ? ' *' : ''}`)).toEqual(images)
    expect(found.adds.map(({kind}) => kind)).toEqual(Array<string>(repositories).fill('git'))
  })

  it('have every kind of download in the tree of channels', () => {
    const {adds, steps} = externalSources(
      parseDockerfile(tree('moby-channels')),
      'all',
      native,
      scripts('moby-channels')
    )
    expect([...new Set(steps.map(({kind}) => kind))].sort()).toEqual(
      ['apt', 'gem', 'git', 'go', 'http', 'pip', 'sumdb'] // apk is in docker/cli's miniature
    )
    expect(new Set(adds.map(({kind}) => kind))).toEqual(new Set(['git', 'http']))
    expect(steps.map(({file}) => file)).toContain('hack/dockerfile/cli.sh')
  })

  it('have images on Windows that Linux does not need', () => {
    const windows = sourcesOf(tree('moby-28'), 'all', {targetPlatforms: ['windows/amd64']})
    expect(windows.images).toContain('14 busybox')
  })

  it('are quoted with their own lines', () => {
    const lines = tree('moby-29').split('\n')
    const {images, adds} = externalSources(parseDockerfile(tree('moby-29')), 'all', native, {})
    for (const {line} of images) expect(lines[line - 1]).toMatch(/^FROM /)
    for (const {line} of adds) expect(lines[line - 1]).toMatch(/^ADD /)
  })

  it('knows every `FROM` that names an image and no stage, on whatever platform', () => {
    const text = small(
      'FROM --platform=$BUILDPLATFORM golang:1 AS a',
      'FROM golang:${TARGETARCH} AS b',
      'FROM a AS debian-amd64',
      'FROM debian-${TARGETARCH} AS c',
      'FROM golang:1 AS target',
      'COPY --from=b / /',
      'COPY --from=c / /',
      'COPY --from=golang:1 / /'
    )
    const {images} = externalSources(
      parseDockerfile(text),
      'target',
      {arguments: {}, buildPlatform: 'linux/amd64', targetPlatforms: ['linux/amd64', 'linux/arm64']},
      {}
    )
    expect(images.map(({spelled, bases}) => [spelled, ...bases])).toEqual([
      ['golang:1', 5, 1],
      ['golang:amd64', 2],
      ['golang:arm64', 2],
      ['debian-arm64']
    ])
  })
})
