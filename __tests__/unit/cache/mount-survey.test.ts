import {describe, expect, it} from '@jest/globals'
import {mountDockerfile} from '../../../src/cache/mount-scripts.js'
import {parseRecord, parseSizes, readSurvey, withDirectories} from '../../../src/cache/mount-survey.js'
import type {PlannedMount} from '../../../src/cache/plan-mounts.js'
import {memoryFiles} from '../../support/memory.js'

const mount: PlannedMount = {id: 'moby-build-linux/amd64', kind: 'compiler', sharing: 'locked', owner: ['uid=7']}

describe('mountDockerfile', () => {
  it('has the mounts as the build has them, no network and no frontend to download', () => {
    expect(
      mountDockerfile({tools: 'golang:1'}, [mount, {...mount, id: '/b', sharing: 'shared', owner: []}], [], 'x').split(
        '\n'
      )
    ).toEqual([
      'FROM --platform=$BUILDPLATFORM golang:1 AS image',
      'FROM --platform=$BUILDPLATFORM scratch',
      'COPY root/ /',
      'RUN --network=none --mount=type=bind,from=image,target=/build-moby/image' +
        ' --mount=type=bind,target=/build-moby/in' +
        ' --mount=type=cache,id=moby-build-linux/amd64,target=/build-moby/0,sharing=locked,uid=7' +
        ' --mount=type=cache,id=/b,target=/build-moby/1,sharing=shared' +
        ' ["/bin/sh","/build-moby/in/script.sh","x"]',
      ''
    ])
  })

  it('unpacks archives, and an image beside them', () => {
    const lines = mountDockerfile({tools: 't', beside: 'l'}, [], ['base/0.archive', 'delta/1.archive'], 'x').split('\n')
    expect(lines.slice(3, 5)).toEqual([
      'ADD base/0.archive /build-moby/archives/base/0.archive/',
      'ADD delta/1.archive /build-moby/archives/delta/1.archive/'
    ])
    expect(lines.at(-2)).toBe('COPY --from=l /bin/sh /build-moby/')
  })
})

describe('readSurvey', () => {
  const record = {entry: 'k', base: 'b', baseBytes: 5, firstBytes: 6}
  const files = memoryFiles({
    '/out/0.files': '10 ./a/x\n20 ./b y\nnonsense\n',
    '/out/0.used': './a/x\n',
    '/out/0.record.json': JSON.stringify(record),
    '/out/0.base': './a/x\n',
    '/out/0.delta': './b y\n'
  })

  it('takes what is noted of the newest entry', async () => {
    expect(await readSurvey('/out', 0, mount, 'k', files)).toEqual({
      kind: 'compiler',
      files: new Map([
        ['./a/x', 10],
        ['./b y', 20]
      ]),
      used: new Set(['./a/x']),
      record,
      base: new Set(['./a/x']),
      delta: new Set(['./b y'])
    })
  })

  it.each(['other', undefined])('takes nothing that is noted when the newest entry is %s', async newest => {
    const survey = await readSurvey('/out', 0, mount, newest, files)
    expect(survey).toMatchObject({base: new Set(), delta: new Set(), used: new Set(['./a/x'])})
    expect(survey).not.toHaveProperty('record')
  })

  it('knows nothing of the use of a mount that was not asked before the build', async () => {
    const survey = await readSurvey('/out', 1, mount, 'k', files)
    expect(survey).toEqual({kind: 'compiler', files: new Map(), base: new Set(), delta: new Set()})
  })
})

it('reads sizes, and leaves out paths with a line break', () => {
  expect([...parseSizes('1 ./a\n2 ./b\nc\n3 other\n')]).toEqual([
    ['./a', 1],
    ['./b', 2]
  ])
})

it('lists directories before what is in them, each once', () => {
  expect(withDirectories(['./b/c/f', './a', './b/c/g', './b-d/h'])).toEqual([
    './b',
    './b-d',
    './b/c',
    './b/c/f',
    './a',
    './b/c/g',
    './b-d/h'
  ])
})

it.each([undefined, '', '{', '[]', 'null', '{"entry":1}', '{"entry":"k"}'])('takes no record from %j', text => {
  expect(parseRecord(text)).toBeUndefined()
})
