import {appendFile, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {command} from './commands.js'

/**
 * Makes a branch of the miniature's moby in `repositories`, beginning at `start`. Each call of what it returns adds a
 * commit that changes a Go file, as a night's work does, and resolves with the full ref of a new branch that ends there.
 */
export function commitSeries(repositories: string, start: string): () => Promise<string> {
  const repository = join(repositories, 'moby/moby.git')
  let number = 0
  let tip = start
  return async () => {
    number += 1
    const checkout = await mkdtemp(join(tmpdir(), 'build-moby-commits-'))
    const git = (...words: readonly string[]) =>
      command(['git', ...words], {
        directory: checkout,
        environment: {
          PATH: process.env.PATH ?? '',
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_AUTHOR_NAME: 'Nightly',
          GIT_AUTHOR_EMAIL: 'nightly@example.com',
          GIT_COMMITTER_NAME: 'Nightly',
          GIT_COMMITTER_EMAIL: 'nightly@example.com'
        }
      })
    try {
      await git('clone', '--quiet', repository, '.')
      await git('checkout', '--quiet', '--detach', tip)
      await appendFile(join(checkout, 'cmd/dockerd/docker.go'), `\nvar night${number} = "night ${number}"\n`)
      await git('commit', '--quiet', '--all', '--message', `Night ${number}`)
      const ref = `refs/heads/nights/${number}`
      await git('push', '--quiet', 'origin', `HEAD:${ref}`)
      tip = (await git('rev-parse', 'HEAD')).trim()
      return ref
    } finally {
      await rm(checkout, {recursive: true, force: true})
    }
  }
}
