import {describe, expect, it} from '@jest/globals'
import {formatImageReference, normalRegistry, parseImageReference} from '../../../src/network/images.js'

const digest = `sha256:${'0'.repeat(64)}`

describe('an image reference', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:latest', 'docker.io/library/busybox:latest'],
    ['golang:1.24.9-bookworm', 'docker.io/library/golang:1.24.9-bookworm'],
    ['tonistiigi/xx:1.6.1', 'docker.io/tonistiigi/xx:1.6.1'],
    ['docker.io/library/golang:1.24', 'docker.io/library/golang:1.24'],
    ['index.docker.io/docker/dockerfile:1', 'docker.io/docker/dockerfile:1'],
    ['ghcr.io/a/b/c', 'ghcr.io/a/b/c:latest'],
    ['localhost/a:1', 'localhost/a:1'],
    ['localhost:5000/a', 'localhost:5000/a:latest'],
    ['mirror:5000/a/b:1', 'mirror:5000/a/b:1'],
    [`golang@${digest}`, `docker.io/library/golang@${digest}`],
    [`golang:1.24@${digest}`, `docker.io/library/golang:1.24@${digest}`],
    [`golang:latest@${digest}`, `docker.io/library/golang:latest@${digest}`]
  ])('%s is %s', (reference, full) => {
    const parsed = parseImageReference(reference)
    expect(formatImageReference(parsed)).toBe(full)
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
