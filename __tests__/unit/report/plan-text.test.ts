import {describe, expect, it} from '@jest/globals'
import {renderPlan} from '../../../src/report/plan-text.js'
import {daemonComponent, engineWith, planWith} from '../../support/plan.js'

describe('renderPlan', () => {
  it('tells of each build what is built, how, and with what', () => {
    const text = renderPlan(planWith({platforms: ['linux/amd64', 'linux/arm64']}))
    expect(text).toContain('Daemon\n  source    moby/moby refs/tags/v28.5.2 (blobless history)\n')
    expect(text).toContain('  commit    89c5e8fd66634b6128fc4c0e6f1236e2540e46e0 (v28.5.2)\n')
    expect(text).toContain('  stamp     dockerd --version: Docker version 28.5.2, build 89c5e8f\n')
    expect(text).toContain('  command   docker buildx bake --builder=default')
    expect(text).toContain('  platforms linux/amd64, linux/arm64\n')
    expect(text).toMatch(/ {2}cache {5}build-moby-layers-1-daemon-/)
    expect(text).toContain('  writes    /job/run/daemon/bake-override.json')
    expect(text).toContain('\n\nClient\n  source    docker/cli ')
  })

  it('says so when there is no cache and no platform was named', () => {
    const text = renderPlan(planWith({cache: 'off'}, {components: [daemonComponent()]}))
    expect(text).toContain("platforms the builder's own\n")
    expect(text).toContain('cache     none\n')
    expect(text).not.toContain('Client')
  })

  it('tells which builder it is and why, and the image of a new one', () => {
    expect(renderPlan(planWith())).toContain('Builder\n  default (existing, driver docker): the current builder')
    expect(renderPlan(planWith({}, {engine: engineWith({builder: {exportsCaches: false}})}))).toMatch(
      /Builder\n {2}build-moby-a1b2c3d4 \(created, driver docker-container\): .*\n {2}image moby\/buildkit:/
    )
  })

  it('lists every endpoint in aligned columns', () => {
    const plan = planWith()
    const table = renderPlan(plan).split('Endpoints\n')[1]?.split('\n\n')[0]?.split('\n') ?? []
    expect(table).toHaveLength(plan.endpoints.length + 1)
    const column = table[0]?.indexOf('fetched by') ?? -1
    for (const line of table.slice(1)) expect(line.slice(column - 2, column + 1)).toMatch(/^ {2}\S$/)
  })

  it('ends with the notes, if there are any', () => {
    expect(renderPlan(planWith())).not.toContain('Notes')
    expect(renderPlan(planWith({proxies: {https: 'http://proxy.example'}}))).toMatch(
      /\n\nNotes\n {2}The Docker daemon has/
    )
  })
})
