import {describe, expect, it} from '@jest/globals'
import {proxySecretLines} from '../../../src/recipes/step-options.js'
import {buildOf, daemonComponent, daemonDockerfile, engineWith, fileOf, planWith} from '../../support/plan.js'

const proxies = {http: 'http://me:pass@proxy:1', https: 'http://me:pass@proxy:2', none: 'localhost'}

describe('a plan', () => {
  const pinned = (frontend: string, mirrorHasFrontend = true) => ({
    components: [
      daemonComponent({
        tree: {...daemonComponent().tree, Dockerfile: daemonDockerfile.replace('docker/dockerfile:1', frontend)},
        mirrorHasFrontend
      })
    ]
  })
  const builtIn = (...buildkit: [number, number, number]) => ({
    ...pinned('docker/dockerfile:1.4', false),
    engine: engineWith({builder: {buildkit}})
  })

  it.each([
    ['credentials', proxies, {}, true],
    ['no credentials', {http: 'http://proxy:1'}, {}, false],
    ['credentials and frontend 1.10', proxies, pinned('docker/dockerfile:1.10'), true],
    ['credentials and frontend 1.9', proxies, pinned('docker/dockerfile:1.9'), false],
    ['credentials and the frontend of BuildKit 0.16', proxies, builtIn(0, 16, 0), true],
    ['credentials and the frontend of BuildKit 0.15', proxies, builtIn(0, 15, 2), false]
  ] as const)('for proxies with %s', (_what, settings, facts, secret) => {
    const plan = planWith({proxies: settings}, facts)
    expect(JSON.stringify(plan)).not.toContain('pass@')
    const build = buildOf(plan)
    expect(build.proxySecrets).toBe(secret)
    expect(fileOf(build, 'Dockerfile').includes('type=secret')).toBe(secret)
    const {target} = JSON.parse(fileOf(build, 'bake-override.json')) as {target: {all: {secret?: string[]}}}
    expect(target.all.secret).toEqual(secret ? proxySecretLines(settings) : undefined)
  })
})
