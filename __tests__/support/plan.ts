import type {Inputs} from '../../src/inputs.js'
import type {Network} from '../../src/network/network.js'
import {takeInventory, type Component} from '../../src/plan/inventory.js'
import {makePlan, type PlanFacts} from '../../src/plan/make-plan.js'
import type {Plan, PlannedBuild, PlannedSource} from '../../src/plan/plan.js'
import {cliBake} from '../../src/recipes/cli-bake.js'
import {mobyBake} from '../../src/recipes/moby-bake.js'
import {engineWith} from './engine.js'
import {inputsWith} from './inputs.js'
import {networkWith} from './network.js'

export {engineWith} from './engine.js'

export const daemonDockerfile = `# syntax=docker/dockerfile:1

ARG GO_VERSION=1.24.9
ARG GOLANG_IMAGE="golang:\${GO_VERSION}-bookworm"
FROM --platform=$BUILDPLATFORM tonistiigi/xx:1.7.0 AS xx
FROM --platform=$BUILDPLATFORM \${GOLANG_IMAGE} AS base
COPY --from=xx / /
RUN apt-get update
FROM base AS runc
ADD https://github.com/opencontainers/runc.git?ref=v1.3.3 .
FROM base AS build
ARG VERSION
RUN ./hack/make.sh binary
FROM scratch AS binary
COPY --from=build /build/ /
FROM scratch AS all
COPY --from=runc /build/ /
COPY --from=build /build/ /
`

export const clientDockerfile = `# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM golang:1.24.9-alpine AS build
ARG VERSION
RUN go build ./cmd/docker
FROM scratch AS binary
COPY --from=build /out .
`

/** What `acquireSource` says of moby v28.5.2, but for `overrides`. */
export function sourceWith(overrides: Partial<PlannedSource> = {}): PlannedSource {
  return {
    repository: 'moby/moby',
    url: 'https://github.com/moby/moby.git',
    directory: '/workspace/moby',
    ref: {kind: 'tag', name: 'v28.5.2', fullName: 'refs/tags/v28.5.2'},
    commit: '89c5e8fd66634b6128fc4c0e6f1236e2540e46e0',
    shortCommit: '89c5e8f',
    commitTime: 1762348800,
    describe: 'v28.5.2',
    version: '28.5.2',
    history: 'blobless',
    ...overrides
  }
}

export function daemonComponent(overrides: Partial<Component> = {}): Component {
  return {
    component: 'daemon',
    source: sourceWith(),
    tree: {Dockerfile: daemonDockerfile, 'docker-bake.hcl': 'target "all" {}', '.dockerignore': '.git\n'},
    recipe: mobyBake,
    ...overrides
  }
}

export function clientComponent(overrides: Partial<Component> = {}): Component {
  return {
    component: 'client',
    source: sourceWith({
      repository: 'docker/cli',
      url: 'https://github.com/docker/cli.git',
      directory: '/workspace/moby-cli'
    }),
    tree: {Dockerfile: clientDockerfile, 'docker-bake.hcl': 'target "binary" {}', 'scripts/build/.variables': ''},
    recipe: cliBake,
    ...overrides
  }
}

/** What `makePlan` is given, with components that are inventoried on the way and the network as far as it differs. */
export type Facts = Omit<PlanFacts, 'components' | 'network'> & {
  readonly components: readonly Component[]
  readonly network: Partial<Network>
}

export function factsWith(overrides: Partial<Facts> = {}): Facts {
  return {
    components: [daemonComponent(), clientComponent()],
    engine: engineWith(),
    network: {},
    imageDigests: new Map(),
    workDirectory: '/job/run',
    unique: 'a1b2c3d4',
    place: {workspace: '/workspace', environment: {}},
    ...overrides
  }
}

/** The plan for v28.5.2 on a recent engine. */
export function planWith(inputs: Partial<Inputs> = {}, overrides: Partial<Facts> = {}): Plan {
  const facts = factsWith(overrides)
  const given = inputsWith(inputs)
  const components = facts.components.map(component => takeInventory(component, given, facts.engine))
  const network = networkWith({proxies: given.proxies, strict: given.strict, ...facts.network})
  return makePlan(given, {...facts, components, network})
}

export function buildOf(plan: Plan, component: 'daemon' | 'client' = 'daemon'): PlannedBuild {
  const build = plan.builds.find(candidate => candidate.component === component)
  if (build === undefined) throw new Error(`the plan has no ${component}`)
  return build
}

/** The text of a planned file, by the end of its path. */
export function fileOf(build: PlannedBuild, name: string): string {
  const file = build.files.find(({path}) => path.endsWith(`/${name}`))
  if (file === undefined) throw new Error(`the plan writes no ${name}`)
  return file.content
}
