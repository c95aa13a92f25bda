import {mkdtemp, realpath, rm, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import type {ArtifactStore} from '../ports.js'
import {type Environment, onEnterpriseServer, variable} from './environment.js'

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
  if (!offered || onEnterpriseServer(environment)) return undefined
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
        // A third of the whole program: it is loaded when there is something to upload.
        const {DefaultArtifactClient} = await import('@actions/artifact')
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
