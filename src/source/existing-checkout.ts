import {ConfigurationError, StepError} from '../errors.js'
import {redactUrl} from '../network/url.js'
import type {Files} from '../ports.js'
import {noHistory} from './connection.js'
import type {Git} from './git.js'
import {isSameRepository} from './repository.js'

/** What is where the checkout shall land. */
export type Place =
  | {readonly kind: 'absent'}
  | {readonly kind: 'empty'}
  | {
      readonly kind: 'checkout'
      /** Absent in a repository that was made and never filled. */
      readonly origin?: string
      readonly hasCommits: boolean
      readonly isShallow: boolean
      /** Whether it leaves objects out already (a partial clone). */
      readonly isPartial: boolean
      readonly isSparse: boolean
    }

/**
 * Looks at the directory that a repository shall be checked out in. Throws a ConfigurationError that names the input
 * `path` when something is there that must not be touched or cannot be built. `urls` are all by which the repository is
 * known: its own and those on mirrors.
 */
export async function inspectPlace(git: Git, urls: readonly string[], files: Files): Promise<Place> {
  const {directory} = git
  const kind = await files.kind(directory)
  if (kind === undefined) return {kind: 'absent'}
  if (kind === 'file' || kind === 'other') throw refusal(directory, 'is no directory')
  const names = await files.list(directory)
  if (names.length === 0) return {kind: 'empty'}
  if (!names.includes('.git')) throw refusal(directory, `holds files, but is no git checkout. ${noHistory}`)

  const opened = await git.ask('rev-parse', '--git-dir')
  if (opened.exitCode !== 0) throw refusal(directory, `has a .git that git does not accept: ${opened.stderr.trim()}`)
  const setting = async (name: string) => {
    const {exitCode, stdout} = await git.ask('config', '--get', name)
    return exitCode === 0 ? stdout.trim() : undefined
  }
  const origin = await setting('remote.origin.url')
  const hasCommits = (await git.ask('rev-parse', '--verify', '--quiet', 'HEAD^{commit}')).exitCode === 0
  if (origin === undefined && hasCommits) throw refusal(directory, "is a git checkout without a remote named 'origin'")
  if (origin !== undefined && !urls.some(url => isSameRepository(url, origin))) {
    throw refusal(directory, `is a checkout of ${redactUrl(origin)}, not of ${redactUrl(urls[0] ?? '')}`)
  }
  const changes = await changedFiles(git)
  if (changes.length > 0) {
    const shown = changes.slice(0, 5).join(', ') + (changes.length > 5 ? `, and ${changes.length - 5} more` : '')
    throw refusal(directory, `has uncommitted changes: ${shown}. Commit them and build that commit, or undo them`)
  }
  return {
    kind: 'checkout',
    ...(origin === undefined ? {} : {origin}),
    hasCommits,
    isShallow: await isShallow(git),
    isPartial: (await setting('remote.origin.promisor')) === 'true',
    isSparse: (await setting('core.sparseCheckout')) === 'true'
  }
}

/** Whether some of the history is missing. */
export async function isShallow(git: Git): Promise<boolean> {
  return (await git.text('rev-parse', '--is-shallow-repository')) === 'true'
}

/** The tracked files that differ from the commit; untracked and ignored files do not count, as in moby's own check. */
export async function changedFiles(git: Git): Promise<readonly string[]> {
  const {exitCode, stdout, stderr} = await git.ask('status', '--porcelain', '--untracked-files=no')
  if (exitCode !== 0) throw new StepError('source', `git status in ${git.directory}: ${stderr.trim()}`)
  return stdout.split('\n').flatMap(line => (line === '' ? [] : [line.slice(3)]))
}

function refusal(directory: string, problem: string): ConfigurationError {
  return new ConfigurationError(`Input 'path': ${directory} ${problem}`)
}
