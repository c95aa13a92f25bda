import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {progressReader, slowestSteps, type BuildProgress} from '../../../src/build/progress.js'
import {memoryLog} from '../../support/memory.js'
import {withoutNetwork} from '../../../src/recipes/step-options.js'

interface Read {
  readonly progress: BuildProgress
  readonly log: readonly string[]
}

function read(lines: readonly string[]): Read {
  const log = memoryLog()
  const reader = progressReader(log)
  for (const line of lines) reader.onLine(line)
  return {progress: reader.collapse(), log: log.lines}
}

/** What `docker buildx bake --progress=rawjson` of buildx 0.29.1 on Docker Engine 28.5.2 wrote, without its statuses. */
function recorded(name: string): Read {
  const path = join(import.meta.dirname, '..', '..', 'fixtures', 'progress', `${name}.rawjson`)
  return read(readFileSync(path, 'utf8').split('\n'))
}

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()
const vertex = (name: string, parts: object = {}) => JSON.stringify({vertexes: [{digest: 'd1', name, ...parts}]})
const output = (text: string, digest = 'd1') =>
  JSON.stringify({logs: [{vertex: digest, stream: 1, data: Buffer.from(text).toString('base64')}]})
const ran = (name: string, from: number, to: number) => [
  vertex(name, {started: at(from)}),
  vertex(name, {started: at(from), completed: at(to)})
]

describe('progressReader', () => {
  it('accounts for the steps of a real build, without BuildKit’s own', () => {
    const {progress} = recorded('good')
    expect(progress.steps.map(({name, cached}) => `${name}${cached ? ' (cached)' : ''}`)).toEqual([
      '[base 1/1] FROM docker.io/library/busybox:latest',
      '[good 2/2] COPY --link --from=base /bin/busybox /c',
      String.raw`[one 1/1] RUN printf 'first\n'; printf 'progress 1%%\rprogress 100%%\n'; printf 'no end'`,
      '[good 1/2] COPY --link --from=one /bin/busybox /b',
      'exporting to image',
      'resolving provenance for metadata file'
    ])
    expect(progress.failure).toBeUndefined()
    for (const {seconds} of progress.steps) expect(seconds).toBeGreaterThanOrEqual(0)
  })

  it('shows the output of a step when it has ended, in one group, as a terminal would', () => {
    const {log} = recorded('good')
    const group = log.findIndex(line => line.startsWith('group: ✔ [one 1/1] RUN printf'))
    expect(log.slice(group + 1, group + 5)).toEqual(['info: first', 'info: progress 100%', 'info: no end', 'end'])
    expect(log.filter(line => /LINK |internal\]/.test(line))).toEqual([])
  })

  it('notices that a base image was there already, though it was looked up first', () => {
    const base = recorded('bad').progress.steps[0]
    expect(base).toMatchObject({name: '[base 1/1] FROM docker.io/library/busybox:latest', cached: true})
  })

  it('finds the step that failed, what it said, and what BuildKit says of it', () => {
    const {progress} = recorded('bad')
    expect(progress.failure).toEqual({
      step: "[bad 1/1] RUN echo before; echo 'E: nothing works' >&2; exit 3",
      message: expect.stringMatching(
        /^process "\/bin\/sh -c echo before.*" did not complete successfully: exit code: 3$/
      ),
      output: ['before', 'E: nothing works'],
      withoutNetwork: false
    })
    expect(progress.messages.at(-1)).toMatch(/^ERROR: failed to solve: process /)
  })

  it('takes no step that was only cancelled for the cause', () => {
    const {progress} = read([
      JSON.stringify({vertexes: [{digest: 'a', name: 'one', error: 'failed: context canceled'}]}),
      JSON.stringify({vertexes: [{digest: 'b', name: 'two', error: 'exit code: 1'}]}),
      JSON.stringify({vertexes: [{digest: 'c', name: 'three', error: 'exit code: 2'}]})
    ])
    expect(progress.failure).toEqual({step: 'two', message: 'exit code: 1', output: [], withoutNetwork: false})
  })

  it('tells layers of a cache that cannot be had from a step that failed', () => {
    const {progress} = read([
      JSON.stringify({vertexes: [{digest: 'a', name: 'one', cached: true, error: 'failed: context canceled'}]}),
      JSON.stringify({vertexes: [{digest: 'b', name: 'two', cached: true}]}),
      JSON.stringify({vertexes: [{digest: 'b', name: 'two', error: 'exit code: 1'}]})
    ])
    expect(progress.unusableCache).toBeUndefined()
    const unusable = read([
      JSON.stringify({vertexes: [{digest: 'a', name: 'one', cached: true, error: 'gzip: invalid checksum'}]}),
      JSON.stringify({vertexes: [{digest: 'b', name: 'two', cached: true, error: 'unexpected EOF'}]})
    ])
    expect(unusable.progress.unusableCache).toBe('gzip: invalid checksum')
    const error = 'mount callback failed on /tmp/containerd-mount1: archive/tar: invalid tar header'
    const blamed = read([JSON.stringify({vertexes: [{digest: 'a', name: '[build 1/4] COPY', error}]})])
    expect(blamed.progress.unusableCache).toBe(error)
  })

  it('says when a step starts and how long it took', () => {
    expect(read(ran('[a 1/1] RUN make', 0, 75)).log).toEqual([
      'info: ▸ [a 1/1] RUN make',
      'info: ✔ [a 1/1] RUN make (1 min 15 s)'
    ])
  })

  it('says of a cached step just that', () => {
    const step = {started: at(0), cached: true}
    const {log, progress} = read([vertex('RUN make', step), vertex('RUN make', {...step, completed: at(1)})])
    expect(log).toEqual(['info: ✔ RUN make (cached)'])
    expect(progress.steps).toEqual([{name: 'RUN make', seconds: 1, cached: true}])
  })

  it('adds up the times of a step that is worked on twice, and each only once', () => {
    const name = '[base 1/1] FROM golang'
    const {log, progress} = read([...ran(name, 0, 0.5), ...ran(name, 2, 12), ...ran(name, 2, 12)])
    expect(progress.steps).toEqual([{name, seconds: 10.5, cached: false}])
    expect(log).toEqual([`info: ▸ ${name}`, `info: ✔ ${name} (0.5 s)`, `info: ✔ ${name} (10.0 s)`])
  })

  it('knows no negative durations', () => {
    expect(read(ran('RUN make', 10, 7)).progress.steps).toEqual([{name: 'RUN make', seconds: 0, cached: false}])
  })

  it.each([
    ['[internal] load build definition from Dockerfile'],
    ['[linux/amd64 internal] load metadata for docker.io/library/golang:1.24'],
    ['[good 2/2] LINK COPY --link --from=base /a /b']
  ])('leaves out %s', name => {
    const {log, progress} = read(ran(name, 0, 1))
    expect(progress.steps).toEqual([])
    expect(log).toEqual([])
  })

  it('collapses runs of blanks in names, and cuts long ones', () => {
    const [short, long] = [`RUN a &&     b\n\t c`, `RUN ${'x'.repeat(200)}`].map(
      name => read(ran(name, 0, 1)).progress.steps[0]?.name
    )
    expect(short).toBe('RUN a && b c')
    expect(long).toHaveLength(160)
    expect(long).toMatch(/^RUN x+…$/)
  })

  it.each([
    [
      ['on', 'e\ntw', 'o\n'],
      ['one', 'two']
    ],
    [['one\r\ntwo'], ['one', 'two']],
    [['10%\r20%\r30%\n'], ['30%']],
    [['10%\r', '20%\r\n'], ['20%']],
    [['10%\r20%'], ['20%']],
    [['\n\nend\n'], ['', '', 'end']]
  ])('makes of the output %j the lines %j', (parts, lines) => {
    const {log} = read([vertex('RUN x', {started: at(0)}), ...parts.map(part => output(part)), ...ran('RUN x', 0, 1)])
    expect(log.filter(line => line.startsWith('info: ')).slice(1)).toEqual(lines.map(line => `info: ${line}`))
  })

  it('does not mix the outputs of parallel steps', () => {
    const two = (parts: object) => JSON.stringify({vertexes: [{digest: 'd2', name: 'two', ...parts}]})
    const {log} = read([
      vertex('one', {started: at(0)}),
      two({started: at(0)}),
      output('a\n'),
      output('b\n', 'd2'),
      output('c\n'),
      two({started: at(0), completed: at(1)}),
      vertex('one', {started: at(0), completed: at(2)})
    ])
    expect(log.slice(2)).toEqual([
      'group: ✔ two (1.0 s)',
      'info: b',
      'end',
      'group: ✔ one (2.0 s)',
      'info: a',
      'info: c',
      'end'
    ])
  })

  it('knows the name of a step whose output comes first', () => {
    expect(read([output('a\n'), vertex('RUN x', {error: 'exit code: 1'})]).progress.failure).toEqual({
      step: 'RUN x',
      message: 'exit code: 1',
      output: ['a'],
      withoutNetwork: false
    })
  })

  it('knows a step that we have cut off, and names it as the tree does', () => {
    const cutOff = withoutNetwork('FROM a\nRUN make\n', [2]).split('\n')[1] ?? ''
    const {failure} = read([vertex(`[b 1/1] ${cutOff}`, {error: 'exit code: 1'})]).progress
    expect(failure).toMatchObject({step: '[b 1/1] RUN make', withoutNetwork: true})
  })

  it('keeps the end of a long output', () => {
    const text = Array.from({length: 5000}, (_, index) => `line ${index}\n`).join('')
    const {failure} = read([output(text), vertex('RUN x', {error: 'exit code: 1'})]).progress
    expect(failure?.output).toHaveLength(200)
    expect(failure?.output.at(-1)).toBe('line 4999')
  })

  it.each(['ERROR: no builder "x" found', '{not json', 'null'])('keeps the line %j, which is no progress', line => {
    expect(read([line, '', '  ']).progress).toEqual({steps: [], messages: [line]})
  })

  it('passes warnings on to whoever debugs', () => {
    const short = Buffer.from('FromAsCasing: casing does not match').toString('base64')
    expect(read([JSON.stringify({warnings: [{vertex: 'd1', short}]})]).log).toEqual([
      'debug: BuildKit warns: FromAsCasing: casing does not match'
    ])
  })
})

describe('slowestSteps', () => {
  it('are those that ran, slowest first', () => {
    const step = (name: string, seconds: number, cached = false) => ({name, seconds, cached})
    const steps = [step('a', 1), step('b', 3), step('c', 9, true), step('d', 2), step('e', 0.05)]
    expect(slowestSteps(steps, 2).map(({name}) => name)).toEqual(['b', 'd'])
    expect(slowestSteps(steps, 9)).toHaveLength(3)
  })
})
