import {describe, expect, it} from '@jest/globals'
import {ConfigurationError} from '../../../src/errors.js'
import type {RoutedEndpoint} from '../../../src/network/endpoint.js'
import {requireRoutes} from '../../../src/plan/make-plan.js'
import {daemonComponent, planWith} from '../../support/plan.js'

function thrownBy(action: () => void): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

describe('requireRoutes', () => {
  const components = [daemonComponent()]

  it('lets everything pass that is not strict', () => {
    const plan = planWith({}, {components})
    expect(() => {
      requireRoutes(plan)
    }).not.toThrow()
  })

  it('refuses under strict, all at once, what has no route, and names the input of each', () => {
    const plan = planWith({strict: true}, {components, network: {goProxy: 'https://go.example'}})
    const message = String(
      thrownBy(() => {
        requireRoutes(plan)
      })
    )
    expect(
      thrownBy(() => {
        requireRoutes(plan)
      })
    ).toBeInstanceOf(ConfigurationError)
    const lines = plan.endpoints.map(
      ({kind, what, route}: RoutedEndpoint) => `${kind} ${what}: set '${route.inputs[0] ?? ''}'`
    )
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) expect(message).toContain(line)
    expect(message).toContain("image docker.io/library/golang:1.24.9-bookworm: set 'registry-mirrors'")
    expect(message).toContain("apt http://*/debian: set 'apt-mirror'")
  })
})
