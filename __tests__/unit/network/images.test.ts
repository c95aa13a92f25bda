import {describe, expect, it} from '@jest/globals'
import {formatImageReference, namedContextOf, normalRegistry, parseImageReference} from '../../../src/network/images.js'

const digest = `sha256:${'0'.repeat(64)}`

describe('an image reference', () => {
  // The name of a context is reference.FamiliarString without `:latest` (buildkit frontend/dockerui/namedcontext.go).
  it.each([
    ['busybox', 'docker.io/library/busybox:latest', 'busybox'],
    ['busybox:latest', 'docker.io/library/busybox:latest', 'busybox'],
    ['golang:1.24.9-bookworm', 'docker.io/library/golang:1.24.9-bookworm', 'golang:1.24.9-bookworm'],
    ['tonistiigi/xx:1.6.1', 'docker.io/tonistiigi/xx:1.6.1', 'tonistiigi/xx:1.6.1'],
    ['docker.io/library/golang:1.24', 'docker.io/library/golang:1.24', 'golang:1.24'],
    ['index.docker.io/docker/dockerfile:1', 'docker.io/docker/dockerfile:1', 'docker/dockerfile:1'],
    ['ghcr.io/a/b/c', 'ghcr.io/a/b/c:latest', 'ghcr.io/a/b/c'],
    ['localhost/a:1', 'localhost/a:1', 'localhost/a:1'],
    ['localhost:5000/a', 'localhost:5000/a:latest', 'localhost:5000/a'],
    ['mirror:5000/a/b:1', 'mirror:5000/a/b:1', 'mirror:5000/a/b:1'],
    [`golang@${digest}`, `docker.io/library/golang@${digest}`, `golang@${digest}`],
    [`golang:1.24@${digest}`, `docker.io/library/golang:1.24@${digest}`, `golang:1.24@${digest}`],
    [`golang:latest@${digest}`, `docker.io/library/golang:latest@${digest}`, `golang:latest@${digest}`]
  ])('%s is %s, and as a context %s', (reference, full, context) => {
    const parsed = parseImageReference(reference)
    expect(formatImageReference(parsed)).toBe(full)
    expect(namedContextOf(parsed)).toBe(context)
    expect(parseImageReference(full)).toEqual(parsed)
  })
})

describe('normalRegistry', () => {
  it.each([
    ['index.docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['ghcr.io', 'ghcr.io']
  ])('%s is %s', (host, registry) => {
    expect(normalRegistry(host)).toBe(registry)
  })
})
