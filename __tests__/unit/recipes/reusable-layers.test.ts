import {describe, expect, it} from '@jest/globals'
import {reusableLayers, type ReusableLayers} from '../../../src/recipes/reusable-layers.js'

function cut(
  lines: readonly string[],
  {
    target = 'last',
    platforms = ['linux/amd64'],
    args = {}
  }: {
    readonly target?: string
    readonly platforms?: readonly string[]
    readonly args?: Readonly<Record<string, string>>
  } = {}
): ReusableLayers | undefined {
  return reusableLayers(
    lines.join('\n'),
    target,
    {arguments: args, buildPlatform: 'linux/amd64', targetPlatforms: platforms},
    ['VERSION', 'COMMIT']
  )
}

/** The stages and what is kept of each, without those that are only there to be counted, and without the collecting one. */
function keptOf(lines: readonly string[], options: Parameters<typeof cut>[1] = {}): string[] {
  const dockerfile = cut(lines, options)?.dockerfile.split('\n') ?? []
  return dockerfile
    .slice(0, dockerfile.indexOf('FROM scratch AS build-moby-layers'))
    .filter(line => !/^FROM scratch( AS \S+)?$/.test(line))
}

function collectedOf(lines: readonly string[]): string[] {
  return [...(cut(lines)?.dockerfile ?? '').matchAll(/^COPY --from=(\S+) \/build-moby-none\* \/$/gm)].flatMap(
    ([, name]) => name ?? []
  )
}

describe('reusableLayers', () => {
  it('ends a stage before it takes from the tree', () => {
    const begin = ['FROM debian AS last', 'RUN first']
    for (const step of [
      'COPY . .',
      'COPY hack /hack',
      'COPY ["a b", "/"]',
      'ADD file.tar /',
      'ADD https://a.example/x local /',
      'COPY --link --chown=0 . .',
      'COPY --from=context / /',
      'RUN --mount=target=. make',
      'RUN --mount=type=bind,target=.,rw make',
      'RUN --mount=type=cache,target=/c --mount=source=x,target=/x make',
      'ONBUILD COPY . .'
    ]) {
      expect(keptOf([...begin, step, 'RUN later'])).toEqual(begin)
    }
  })

  it('keeps what takes nothing from the tree', () => {
    const stage = [
      'FROM debian AS last',
      'RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=secret,id=s make',
      'RUN --mount=from=busybox,target=/b make',
      'COPY --from=busybox /bin /bin',
      'ADD https://a.example/x.git#v1 /src',
      'COPY <<EOT /file',
      '# no comment',
      'COPY . .',
      'EOT',
      'WORKDIR /src'
    ]
    expect(keptOf(stage)).toEqual(stage)
  })

  it('ends a stage before the first step that sees what changes with each commit', () => {
    const begin = ['FROM debian AS last', 'RUN first']
    for (const [declaration, step] of [
      ['ARG VERSION', 'RUN make'],
      ['ARG OTHER COMMIT=none', 'RUN make'],
      ['ARG VERSION\nARG NAME=moby-$VERSION', 'RUN make'],
      ['ARG VERSION', 'COPY --from=busybox:${VERSION} / /'],
      ['ARG VERSION', 'ADD https://a.example/$VERSION /'],
      ['ARG VERSION', 'WORKDIR /src/${VERSION:-dev}'],
      ['ARG VERSION', 'ENV NAME=$VERSION\nCOPY --from=busybox / /']
    ] as const) {
      expect(keptOf([...begin, ...declaration.split('\n'), ...step.split('\n'), 'RUN later'])).toEqual(begin)
    }
  })

  it('goes on after such a variable with steps that do not see it, and leaves it out', () => {
    expect(
      keptOf([
        'FROM debian AS last',
        'ARG VERSION COMMIT=none',
        'ARG PLATFORM COMMIT',
        'COPY --from=busybox / /',
        'RUN x'
      ])
    ).toEqual(['FROM debian AS last', 'ARG PLATFORM', 'COPY --from=busybox / /'])
  })

  it('knows such a variable from before the first stage and from the stage below', () => {
    const base = ['ARG VERSION=1', 'ARG NAME=moby-${VERSION}', 'FROM debian AS base', 'RUN first']
    const begin = ['FROM debian AS base', 'RUN first', 'FROM base AS last', 'RUN second']
    expect(keptOf([...base, 'FROM base AS last', 'RUN second', 'ARG NAME', 'RUN make'])).toEqual(begin)
    expect(keptOf([...base, 'ARG VERSION', 'FROM base AS last', 'RUN make'])).toEqual(begin.slice(0, 3))
    expect(keptOf([...base, 'FROM busybox:$NAME AS last', 'RUN make', 'COPY --from=base / /'])).toEqual([
      'FROM debian AS base',
      'RUN first'
    ])
  })

  it('does not build on a stage that was cut, nor copy or mount from it', () => {
    const stages = ['FROM debian AS cut', 'RUN kept', 'COPY . .']
    const begin = ['FROM debian AS cut', 'RUN kept']
    expect(keptOf([...stages, 'FROM cut AS last', 'RUN make'])).toEqual(begin)
    for (const step of ['COPY --from=cut / /', 'RUN --mount=from=cut,target=/c make', 'COPY --from=0 / /']) {
      const last = ['FROM debian AS last', 'RUN first']
      expect(keptOf([...stages, ...last, step, 'RUN make'])).toEqual([...begin, ...last])
    }
  })

  it('leaves out the stages that the target does not need, but not their numbers', () => {
    const stages = ['FROM a AS unneeded', 'RUN a', 'FROM b', 'RUN b', 'FROM c AS last', 'COPY --from=1 / /']
    expect(cut(stages)?.dockerfile).toBe(
      [
        'FROM scratch AS unneeded',
        ...stages.slice(2),
        'FROM scratch AS build-moby-layers',
        'COPY --from=last /build-moby-none* /',
        ''
      ].join('\n')
    )
  })

  it('leads to every layer', () => {
    expect(
      collectedOf([
        'FROM debian AS used',
        'RUN used',
        'FROM debian AS forgotten',
        'RUN forgotten',
        'FROM used',
        'RUN counted',
        'FROM busybox AS image',
        'FROM used AS last',
        'RUN --mount=type=bind,target=. make',
        'COPY --from=forgotten / /',
        'COPY --from=2 / /',
        'COPY --from=image / /'
      ])
    ).toEqual(['forgotten', '2'])
  })

  it('follows every platform', () => {
    const stages = [
      'FROM debian AS for-amd64',
      'RUN amd64',
      'FROM debian AS for-arm64',
      'COPY . .',
      'FROM for-${TARGETARCH} AS last',
      'RUN make'
    ]
    expect(keptOf(stages)).toEqual([...stages.slice(0, 2), ...stages.slice(4)])
    expect(keptOf(stages, {platforms: ['linux/amd64', 'linux/arm64']})).toEqual([
      'FROM debian AS for-amd64',
      'RUN amd64',
      'FROM debian AS for-arm64'
    ])
  })

  it('keeps text as it is but for comments, and of what is declared before the first stage what is used', () => {
    const file = [
      '# syntax=docker/dockerfile:1',
      '# escape=\\',
      '',
      '# the version',
      'ARG GO=1.24',
      'ARG IMAGE="golang:${GO}"',
      'ARG UNUSED=1',
      'ARG STATIC=1',
      'FROM --platform=$BUILDPLATFORM ${IMAGE} AS base',
      '# a comment',
      'RUN one \\',
      '  # between',
      '    && two',
      '',
      'RUN <<EOT',
      '# in a script',
      '',
      '  three',
      'EOT',
      '# another',
      'FROM base AS last',
      'ARG STATIC',
      'RUN four',
      'COPY . .'
    ]
    const found = cut(file, {args: {STATIC: '0', VERSION: '1'}})
    expect(found?.dockerfile.split('\n').slice(0, -3)).toEqual(
      file
        .filter(line => !['', '# the version', 'ARG UNUSED=1', '# a comment', '# another', 'COPY . .'].includes(line))
        .toSpliced(11, 0, '')
    )
    expect(found?.arguments).toEqual(['GO', 'IMAGE', 'STATIC'])
    expect(found?.stage).toBe('build-moby-layers')
  })

  it('does not change with what comes after the cut', () => {
    const begin = ['FROM debian AS last', 'RUN first', 'ARG VERSION SOURCE_DATE_EPOCH=1']
    expect(cut([...begin, 'ARG DEBUG', 'RUN make'])).toEqual(cut([...begin, 'ENV X=1', 'RUN make all', '# more']))
  })

  it('finds nothing where the first step depends on the tree', () => {
    expect(cut(['FROM golang AS build', 'COPY . .', 'FROM scratch AS last', 'COPY --from=build / /'])).toBeUndefined()
  })
})
