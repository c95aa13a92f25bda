import type {BuildResult} from '../../src/build/execute.js'
import type {Bundle} from '../../src/bundles/make-bundle.js'
import type {Plan} from '../../src/plan/plan.js'
import type {PublishedBundle} from '../../src/bundles/publish.js'
import type {Outcome} from '../../src/report/summary.js'
import {planWith} from './plan.js'

export function bundleWith(name: Bundle['name'], overrides: Partial<Bundle> = {}): Bundle {
  const binary = name === 'binary-daemon' ? 'dockerd' : 'docker'
  return {
    name,
    directory: `/out/${name}`,
    files: [{path: binary, mode: 0o755, size: 2048, md5: 'c'.repeat(32), sha256: 'b'.repeat(64)}],
    archive: {path: `/out/${name}.tar.gz`, size: 1536, sha256: 'a'.repeat(64)},
    stamps: [{path: binary, version: '28.5.2', commit: '89c5e8f', how: 'ran'}],
    ...overrides
  }
}

export function resultsOf(plan: Plan, overrides: Partial<BuildResult> = {}): BuildResult[] {
  const steps = [
    {name: '[build 1/2] RUN ./hack/make.sh', seconds: 61, cached: false},
    {name: '[base 1/2] FROM golang', seconds: 0, cached: true}
  ]
  return plan.builds.map(build => ({
    build,
    progress: {steps, messages: []},
    withoutLayers: false,
    seconds: 75.2,
    ...overrides
  }))
}

/** A finished run that built both components, and published them as GitHub does. */
export function outcomeWith(overrides: Partial<Outcome> = {}): Outcome {
  const plan = overrides.plan ?? planWith()
  const bundles: PublishedBundle[] = (['binary-daemon', 'binary-client'] as const).map((name, index) => ({
    bundle: bundleWith(name),
    artifact: {id: 41 + index, url: `https://github.example/artifacts/${41 + index}`}
  }))
  return {
    plan,
    endpoints: [],
    results: resultsOf(plan),
    caches: [],
    bundles,
    outputDirectory: '/out',
    planFile: '/out/plan.json',
    seconds: 190,
    ...overrides
  }
}
