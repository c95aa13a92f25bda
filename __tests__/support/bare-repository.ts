import {execFile} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'

/** Runs git without anybody's configuration and without asking questions. Returns its output, trimmed; throws on failure. */
export async function git(...args: string[]): Promise<string> {
  const environment = {
    PATH: process.env.PATH,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@example.com'
  }
  const {stdout} = await promisify(execFile)('git', args, {env: environment})
  return stdout.trim()
}

/** Makes a bare repository at `bare`, by way of a checkout at `work`: two commits on main, each with a file of its own. */
export async function makeRepository(work: string, bare: string): Promise<void> {
  await git('init', '--quiet', '--initial-branch=main', work)
  for (const name of ['VERSION', 'CHANGELOG']) {
    await writeFile(join(work, name), `${name} of the engine\n`)
    await git('-C', work, 'add', name)
    await git('-C', work, 'commit', '--quiet', '--message', name)
  }
  await git('clone', '--quiet', '--bare', work, bare)
}

/** Makes a commit on top of main that no ref leads to, and returns its id. */
export async function unreachableCommit(repository: string): Promise<string> {
  return git('-C', repository, 'commit-tree', '-p', 'main', '-m', 'loose', 'main^{tree}')
}

/** The objects of HEAD's history that a partial clone left out. */
export async function missingObjects(clone: string): Promise<string[]> {
  const objects = await git('-C', clone, 'rev-list', '--objects', '--missing=print', 'HEAD')
  return objects.split('\n').filter(line => line.startsWith('?'))
}
