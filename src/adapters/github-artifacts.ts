import {mkdtemp, realpath, rm, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import {DefaultArtifactClient} from '@actions/artifact'
import type {ArtifactStore} from '../ports.js'
import {type Environment, variable} from './environment.js'

/**
 * GitHub's artifacts (@actions/artifact): each artifact is a zip named exactly as asked, with the files at its root.
 * Undefined when the runner offers none: `ACTIONS_RUNTIME_TOKEN` or `ACTIONS_RESULTS_URL` is missing, or the server is
 * GitHub Enterprise Server, which the library refuses.
 */
export function githubArtifacts(environment: Environment): ArtifactStore | undefined {
  const server = variable(environment, 'GITHUB_SERVER_URL') ?? 'https://github.com'
  const offered = ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL'].every(
    name => variable(environment, name) !== undefined
  )
  if (!offered || isEnterpriseServer(server)) return undefined
  const run = `${server}/${environment.GITHUB_REPOSITORY ?? ''}/actions/runs/${environment.GITHUB_RUN_ID ?? ''}`
  const temporaryRoot = variable(environment, 'RUNNER_TEMP') ?? tmpdir()

  return {
    location: 'GitHub Actions artifacts',

    async publish(name, files, {retentionDays, compressionLevel}) {
      // The library names the files in the zip by their path below one common directory, and follows links.
      const root = await mkdtemp(join(temporaryRoot, 'artifact-'))
      try {
        const staged = await Promise.all(
          files.map(async file => {
            const link = join(root, basename(file))
            await symlink(await realpath(file), link)
            return link
          })
        )
        const {id} = await new DefaultArtifactClient().uploadArtifact(name, staged, root, {
          compressionLevel,
          ...(retentionDays === undefined ? {} : {retentionDays})
        })
        return id === undefined ? {url: run} : {id, url: `${run}/artifacts/${id}`}
      } finally {
        await rm(root, {recursive: true, force: true})
      }
    }
  }
}

/** The library's own rule (@actions/artifact 6.2.1, src/internal/shared/config.ts, isGhes). */
function isEnterpriseServer(server: string): boolean {
  const host = new URL(server).hostname
  return host !== 'github.com' && !host.endsWith('.ghe.com') && !host.endsWith('.localhost')
}
