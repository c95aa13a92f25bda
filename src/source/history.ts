import {ConfigurationError, StepError} from '../errors.js'
import type {Clock, Log} from '../ports.js'
import {isShallow, type Place} from './existing-checkout.js'
import {isFilterIgnored, isFilterRefused, receivedSize} from './git-failure.js'
import {type Git, type NetworkTask, withRetries} from './git.js'
import type {Ref, ResolvedRef} from './refs.js'
import type {History} from './source.js'

/** How to reach the remote and tell about it. */
export interface Transfer {
  readonly git: Git
  readonly task: Omit<NetworkTask, 'task'>
  readonly ports: {
    readonly log: Log
    readonly clock: Clock
    readonly pause: (milliseconds: number) => Promise<void>
  }
}

const fetch = ['fetch', '--progress', '--no-recurse-submodules', '--no-auto-maintenance'] as const

/**
 * What a blobless history leaves out, the best first. Directories without the contents of their files are of little use,
 * and more than half of moby's blobless history: without the old ones it is 32 MB instead of 71. Some servers allow the
 * second filter only (uploadpackfilter in git-config(1)).
 */
export const filters = ['tree:0', 'blob:none'] as const
export type Filter = (typeof filters)[number]

/** Every branch and every tag, moved ones too. */
const everything = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'] as const

/** Makes an empty repository that knows its origin. */
export async function initialize(git: Git, origin: string): Promise<void> {
  await git.text('-c', 'init.defaultBranch=main', 'init', '--quiet')
  await git.text('remote', 'add', 'origin', origin)
}

/** What there is before a fetch. */
export interface Beginning {
  readonly hasCommits: boolean
  /** Whether it leaves objects out already (a partial clone). */
  readonly isPartial: boolean
  /** Whether refs that the remote no longer has are to go. */
  readonly prune: boolean
}

/**
 * Fetches every commit, branch and tag that is missing, and the asked ref; returns what history there is now. What a
 * server that cannot filter sends is a full history, and the checkout then says so, too.
 */
export async function fetchHistory(
  transfer: Transfer,
  {before, ref, wanted}: {readonly before: Beginning; readonly ref: Ref; readonly wanted: History}
): Promise<History> {
  const {git, ports} = transfer
  const shallow = await isShallow(git)
  const isComplete = before.hasCommits && !shallow
  const {isPartial} = before
  if (isPartial && wanted === 'full') {
    ports.log.warning(
      `The checkout in ${git.directory} is blobless already and stays so; remove it for a full history.`
    )
  }
  const filtered = wanted === 'blobless' && !isComplete && !isPartial
  const {lines} = await fetchFiltered(transfer, filtered ? filters : [], [
    before.prune ? '--prune' : '--no-prune',
    ...(shallow ? ['--unshallow'] : []),
    'origin',
    ...everything,
    ...(ref.kind === 'pull' || ref.kind === 'ref' ? [ref.fullName] : [])
  ])
  if (await isShallow(git)) {
    throw new StepError('source', `${transfer.task.url} has no full history itself: it is a shallow clone`)
  }
  if (isPartial) return 'blobless'
  if (!filtered) return 'full'
  if (!isFilterIgnored(lines)) return 'blobless'
  ports.log.info('The server cannot leave file contents out: the history is full, not blobless.')
  // Without this, git would take missing objects for objects to fetch.
  for (const key of ['remote.origin.promisor', 'remote.origin.partialclonefilter', 'extensions.partialclone']) {
    await git.ask('config', '--unset-all', key)
  }
  return 'full'
}

/** Fetches with the first of some filters that the server does not refuse; without any when there are none. */
async function fetchFiltered(
  transfer: Transfer,
  [filter, ...others]: readonly Filter[],
  rest: readonly string[]
): Promise<{readonly lines: readonly string[]}> {
  const what = 'fetch the history of'
  if (filter === undefined) return await run(transfer, what, [...fetch, ...rest])
  try {
    return await run(transfer, what, [...fetch, `--filter=${filter}`, ...rest])
  } catch (error) {
    if (others.length === 0 || !(error instanceof StepError) || !isFilterRefused(error.message)) throw error
    // Git has noted the first filter before it asked, and would go on with it.
    await transfer.git.text('config', 'remote.origin.partialclonefilter', others[0] ?? '')
    return await fetchFiltered(transfer, others, rest)
  }
}

/** The full hash of the commit that `ref` means, fetched on its own where no branch or tag contains it. */
export async function locateCommit(
  transfer: Transfer,
  ref: ResolvedRef,
  {input, repository}: {readonly input: string; readonly repository: string}
): Promise<string> {
  const {git} = transfer
  if (ref.commit === undefined) {
    const {exitCode, stdout, stderr} = await git.ask('rev-parse', '--verify', `${ref.name}^{commit}`)
    if (exitCode === 0) return stdout.trim()
    throw new ConfigurationError(
      stderr.includes('ambiguous')
        ? `Input '${input}': several commits of ${repository} begin with ${ref.name}; give more digits\n${stderr.trim()}`
        : `Input '${input}': no branch or tag of ${repository} contains a commit that begins with ${ref.name}; other commits must be given in full`
    )
  }
  // Unlike other commands, this one does not fetch what it misses.
  const found = await git.ask('rev-list', '--missing=allow-any', '--no-walk', ref.commit)
  if (found.exitCode !== 0) {
    try {
      await run(transfer, `fetch commit ${ref.commit} of`, [...fetch, '--no-prune', '--no-tags', 'origin', ref.commit])
    } catch (error) {
      if (!isNotGiven(error)) throw error
      throw new ConfigurationError(
        `Input '${input}': no branch or tag of ${repository} contains commit ${ref.commit}, and the server does not give it`,
        {cause: error}
      )
    }
  }
  const {exitCode, stdout} = await git.ask('rev-parse', '--verify', '--quiet', `${ref.commit}^{commit}`)
  if (exitCode === 0) return stdout.trim()
  throw new ConfigurationError(`Input '${input}': ${ref.commit} of ${repository} is no commit`)
}

function isNotGiven(error: unknown): boolean {
  return error instanceof StepError && /unadvertised object|not our ref/.test(error.message)
}

/**
 * Fetches the directories and files of a commit that a blobless history lacks in one transfer. By itself git would ask
 * for thousands of files by name.
 */
export async function fetchFiles(transfer: Transfer, commit: string): Promise<void> {
  // Any other way to ask for the tree's name fetches the tree.
  const tree = await transfer.git.text('log', '--max-count=1', '--no-show-signature', '--format=%T', commit)
  // Without this, the server would think that we have the files of every commit that we have.
  const afresh = ['-c', 'fetch.negotiationAlgorithm=noop'] as const
  try {
    await run(transfer, 'fetch the files of', [
      ...afresh,
      ...fetch,
      '--no-prune',
      '--no-tags',
      '--no-filter',
      'origin',
      tree
    ])
  } catch (error) {
    // The checkout fetches them by another name.
    if (!isNotGiven(error)) throw error
  }
}

/** Puts the files of a commit into the directory, fetching those that a blobless history lacks. */
export async function checkOut(transfer: Transfer, place: Place, commit: string): Promise<void> {
  if (place.kind === 'checkout' && place.isSparse) {
    await run(transfer, 'complete the sparse checkout of', ['sparse-checkout', 'disable'])
  }
  await run(transfer, 'check out the files of', ['checkout', '--detach', '--progress', commit], async () => {
    // Git removes files before it fetches others; the tree was clean, so nobody's work is lost.
    if (place.kind === 'checkout') await transfer.git.ask('reset', '--hard', '--quiet')
  })
}

async function run(
  {git, task, ports}: Transfer,
  what: string,
  command: readonly string[],
  undo: () => Promise<void> = () => Promise.resolve()
): Promise<{readonly lines: readonly string[]}> {
  const start = ports.clock()
  const attempt = async () => {
    let exitCode: number | undefined
    try {
      const result = await git.work(...command)
      exitCode = result.exitCode
      return result
    } finally {
      if (exitCode !== 0) await undo()
    }
  }
  const result = await withRetries({...task, task: what}, attempt, ports)
  const seconds = ((ports.clock() - start) / 1000).toFixed(1)
  const size = receivedSize(result.lines)
  const verb = command[command[0] === '-c' ? 2 : 0] ?? ''
  ports.log.info(`git ${verb}: ${seconds} s${size === undefined ? '' : `, received ${size}`}`)
  return result
}
