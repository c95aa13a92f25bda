import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Image} from './images.js'
import {smallLayer} from './layers.js'
import {golangLayer} from './root-file-system.js'

/**
 * An image that stands in for `docker/dockerfile`, what most Dockerfiles name in their `# syntax` line. Debian has no
 * BuildKit to take the real one from; this one hands every Dockerfile to the frontend inside the engine's own BuildKit,
 * after having been fetched and run like any other. It is a Perl program in the stand-in golang image, which the builds
 * need anyway.
 */
export async function frontendImage(options: {
  readonly cacheDirectory: string
  readonly log: (line: string) => void
}): Promise<Image> {
  const content = await readFile(join(import.meta.dirname, 'frontend.pl'))
  const config = {
    Env: ['PATH=/usr/bin:/bin'],
    Entrypoint: ['/usr/bin/perl', '/frontend.pl'],
    // BuildKit hands named contexts only to frontends that say they know them.
    Labels: {'moby.buildkit.frontend.caps': 'moby.buildkit.frontend.inputs,moby.buildkit.frontend.contexts'}
  }
  return {
    repository: 'docker/dockerfile',
    tags: ['1'],
    layers: [await golangLayer(options), await smallLayer([{path: 'frontend.pl', content, mode: 0o755}])],
    config
  }
}
