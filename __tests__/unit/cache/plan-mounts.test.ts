import {describe, expect, it} from '@jest/globals'
import {planMounts} from '../../../src/cache/plan-mounts.js'
import type {PlannedBuilder} from '../../../src/engine/choose-builder.js'
import type {Inputs} from '../../../src/inputs.js'
import {takeInventory, type Component} from '../../../src/plan/inventory.js'
import {engineWith} from '../../support/engine.js'
import {inputsWith} from '../../support/inputs.js'
import {networkWith} from '../../support/network.js'
import {clientComponent, daemonComponent} from '../../support/plan.js'

const builder: PlannedBuilder = {
  kind: 'existing',
  name: 'some',
  driver: 'docker',
  why: '',
  platform: 'linux/amd64',
  exportsCaches: true
}
const route = {
  environment: {EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: '/job/policy.json'},
  files: [{path: '/job/policy.json', content: '{}'}]
}

const dockerfile = `ARG IMAGE=golang:1.24.9-bookworm
FROM \${IMAGE} AS base
FROM base AS tool
RUN --mount=type=cache,target=/root/.cache/go-build --mount=type=cache,target=/go/pkg/mod go install tool
FROM base AS build
COPY --from=tool / /
RUN --mount=type=cache,id=aptlib,target=/var/lib/apt --mount=type=cache,id=aptcache,target=/var/cache/apt apt-get update
ARG TARGETPLATFORM
RUN --mount=type=cache,target=/root/.cache/go-build,id=moby-build-$TARGETPLATFORM --mount=type=cache,target=/src/.git make
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache,id=a;b make
FROM scratch AS binary
COPY --from=build / /
FROM scratch AS all
COPY --from=build / /
`

function planned(
  text: string,
  inputs: Partial<Inputs> = {},
  own: Partial<PlannedBuilder> = {},
  of: (overrides: Partial<Component>) => Component = daemonComponent
) {
  const engine = engineWith()
  const component = of({tree: {...of({}).tree, Dockerfile: text}})
  const given = inputsWith(inputs)
  const settings = {
    inputs: given,
    network: networkWith({}),
    engine,
    builder: {...builder, ...own},
    workDirectory: '/job/run'
  }
  return planMounts(takeInventory(component, given, engine), settings as never, route)
}

describe('planMounts', () => {
  it('keeps what Go compiles and downloads, once, and says why the rest stays', () => {
    const plan = planned(dockerfile)
    expect(plan?.groups).toEqual([
      {
        mounts: [
          {id: '/root/.cache/go-build', kind: 'compiler', sharing: 'shared', owner: []},
          {id: '/go/pkg/mod', kind: 'modules', sharing: 'shared', owner: []},
          {id: 'moby-build-linux/amd64', kind: 'compiler', sharing: 'shared', owner: []}
        ]
      }
    ])
    expect(plan?.left).toEqual([
      {target: '/var/lib/apt', why: 'the layers of its steps are kept instead'},
      {target: '/var/cache/apt', why: 'the layers of its steps are kept instead'},
      {target: '/src/.git', why: 'neither of the compiler nor of its modules'},
      {target: '/root/.cache', why: 'unusual characters in a;b'}
    ])
    expect(plan).toMatchObject({...route, image: 'golang:1.24.9-bookworm', directory: '/job/run/daemon/mounts'})
  })

  it('looks for entries of the release line first, and only for those of this compiler', () => {
    const plan = planned(dockerfile, {target: 'all', cacheKey: 'mine'})
    const family = 'mine-build-moby-mounts-3-daemon-linux_amd64-all-golang_1.24.9_bookworm-'
    expect(plan).toMatchObject({prefixes: [`${family}28.5-`, family], keyPrefix: `${family}28.5-89c5e8f-`})
    const other = planned(dockerfile.replace('1.24.9', '1.24.8'), {target: 'all'})
    expect(other?.prefixes.at(-1)).toBe('build-moby-mounts-3-daemon-linux_amd64-all-golang_1.24.8_bookworm-')
  })

  it('keeps one entry of the client, whatever the target of the daemon', () => {
    const text = 'FROM golang:1-alpine AS binary\nRUN --mount=type=cache,target=/root/.cache make\n'
    const client = (inputs: Partial<Inputs>) => planned(text, inputs, {}, clientComponent)?.prefixes
    expect(client({target: 'all'})).toEqual(client({target: 'binary'}))
    expect(client({})?.at(-1)).toBe('build-moby-mounts-3-client-linux_amd64-binary-golang_1_alpine-')
  })

  it.each([
    ['one node', {driver: 'docker'}, [undefined]],
    ['one node', {kind: 'created', driver: 'docker-container'}, [undefined]],
    ['perhaps several nodes', {driver: 'remote'}, ['linux/amd64', 'linux/arm64']]
  ] as const)('of several platforms on %s (%j) asks for %j', (_, own, platforms) => {
    const plan = planned(dockerfile, {platforms: ['linux/amd64', 'linux/arm64']}, own)
    expect(plan?.groups.map(({platform}) => platform)).toEqual(platforms)
    const ids = plan?.groups.map(({mounts}) => mounts.map(({id}) => id))
    const shared = ['/root/.cache/go-build', '/go/pkg/mod']
    expect(ids).toEqual(
      platforms.length === 1
        ? [[...shared, 'moby-build-linux/amd64', 'moby-build-linux/arm64']]
        : [
            [...shared, 'moby-build-linux/amd64'],
            [...shared, 'moby-build-linux/arm64']
          ]
    )
    expect(plan?.prefixes.at(-1)).toContain('-linux_amd64+linux_arm64-')
  })

  it('asks for the one platform that is built', () => {
    const plan = planned(dockerfile, {platforms: ['linux/arm64']})
    expect(plan?.groups.map(({platform, mounts}) => [platform, mounts.at(-1)?.id])).toEqual([
      ['linux/arm64', 'moby-build-linux/arm64']
    ])
  })

  it('is nothing for a build without such mounts', () => {
    expect(planned('FROM golang AS binary\nRUN make\n')).toBeUndefined()
    expect(planned('FROM golang AS binary\nRUN --mount=type=cache,target=/x make\n')).toBeUndefined()
    expect(planned('FROM scratch AS binary\nRUN --mount=type=cache,target=/go/pkg/mod make\n')).toBeUndefined()
    const from = 'FROM golang AS binary\nRUN --mount=type=cache,target=/go/pkg/mod,from=alpine make\n'
    expect(planned(from)).toBeUndefined()
  })
})
