import {describe, expect, it} from '@jest/globals'
import {withLinesOfTree, withPrimedBases} from '../../../src/recipes/primed-stages.js'

const priming = ['ENV A="1"', 'RUN ["/bin/sh","-c","one\\ntwo"]']

/** What becomes of a Dockerfile, without what is before its first stage. */
function primed(lines: readonly string[], ...bases: readonly number[]): string[] {
  const changed = withPrimedBases(lines.join('\n'), bases, priming).split('\n')
  return changed.slice(changed.findIndex(line => line.startsWith('FROM')))
}

describe('withPrimedBases', () => {
  it('puts a stage before the first one, and the images of these lines on it', () => {
    const text = [
      '# syntax=docker/dockerfile:1',
      'ARG GO=golang:1',
      '',
      '# the first',
      'FROM busybox AS box',
      'FROM --platform=$BUILDPLATFORM ${GO} AS base',
      'RUN make',
      ''
    ]
    expect(withPrimedBases(text.join('\n'), [6], priming).split('\n')).toEqual([
      ...text.slice(0, 4),
      'FROM --platform=$BUILDPLATFORM ${GO} AS build-moby-base-1',
      ...priming,
      'FROM busybox AS box',
      'FROM --platform=$BUILDPLATFORM build-moby-base-1 AS base',
      ...text.slice(6)
    ])
  })

  it('has one stage for each image on each platform', () => {
    const text = ['FROM debian AS a', 'FROM --platform=$BUILDPLATFORM debian AS b', 'FROM debian', 'FROM alpine AS c']
    expect(primed(text, 1, 2, 3, 4)).toEqual([
      'FROM debian AS build-moby-base-1',
      ...priming,
      'FROM --platform=$BUILDPLATFORM debian AS build-moby-base-2',
      ...priming,
      'FROM alpine AS build-moby-base-3',
      ...priming,
      'FROM build-moby-base-1 AS a',
      'FROM --platform=$BUILDPLATFORM build-moby-base-2 AS b',
      'FROM build-moby-base-1',
      'FROM build-moby-base-3 AS c'
    ])
  })

  it.each([
    [['FROM debian AS debian'], ['FROM build-moby-base-1 AS debian']],
    [['from\tdebian'], ['from\tbuild-moby-base-1']],
    [
      ['FROM --platform=linux/amd64 \\', '  # which', '  debian as x'],
      ['FROM --platform=linux/amd64 \\', '  # which', '  build-moby-base-1 as x']
    ]
  ])('finds the image in %j', (before, after) => {
    expect(primed(before, 1).slice(1 + priming.length)).toEqual(after)
  })

  it('keeps what is named by the number of a stage', () => {
    const steps = [
      'COPY --chown=0 --from=0 --link / /',
      'ADD --from=10 / /',
      'RUN --mount=type=bind,from=0,target=/a \\',
      '  --mount=from=1 \\',
      '  make --from=0 0'
    ]
    const same = ['COPY --from=a / /0', 'RUN --mount=from=a,target=/0 make --from=0', 'COPY --from=0a / /', 'RUN 0']
    expect(primed(['FROM debian AS a', ...steps, ...same], 1).slice(2 + priming.length)).toEqual([
      'COPY --chown=0 --from=1 --link / /',
      'ADD --from=11 / /',
      'RUN --mount=type=bind,from=1,target=/a \\',
      '  --mount=from=2 \\',
      '  make --from=1 0',
      ...same
    ])
  })

  it('takes no name that a stage of the tree has', () => {
    const text = ['FROM debian AS build-moby-base-1', 'FROM build-moby-base-1 AS x']
    expect(primed(text, 1)).toEqual([
      'FROM debian AS build-moby-base-own-1',
      ...priming,
      'FROM build-moby-base-own-1 AS build-moby-base-1',
      'FROM build-moby-base-1 AS x'
    ])
  })

  it('changes nothing where there is nothing to prime', () => {
    const text = 'FROM debian\nRUN make\n'
    expect(withPrimedBases(text, [], priming)).toBe(text)
    expect(withPrimedBases(text, [1], [])).toBe(text)
  })
})

describe('withLinesOfTree', () => {
  const text = ['# comment', 'ARG A', 'FROM debian AS a', 'FOO', 'FROM alpine AS b', 'RUN b'].join('\n')
  const ours = withPrimedBases(text, [3, 5], priming)

  it.each([
    ['Dockerfile:10', 'Dockerfile:4'],
    ['  10 | >>> FOO', '   4 | >>> FOO'],
    ['   9 |     FROM debian AS a', '   3 |     FROM debian AS a'],
    [
      'ERROR: failed to solve: dockerfile parse error on line 10: unknown instruction: FOO',
      'ERROR: failed to solve: dockerfile parse error on line 4: unknown instruction: FOO'
    ],
    ['   2 |     ARG A', '   2 |     ARG A'],
    ['ERROR: failed to solve: 10', 'ERROR: failed to solve: 10']
  ])('makes of %j %j', (message, expected) => {
    expect(withLinesOfTree(message, ours)).toBe(expected)
  })

  it('keeps the numbers where no stage was put in', () => {
    expect(withLinesOfTree('Dockerfile:4', text)).toBe('Dockerfile:4')
  })
})
