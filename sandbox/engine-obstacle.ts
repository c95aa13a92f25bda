import {execFile} from 'node:child_process'
import {access, constants, readFile} from 'node:fs/promises'
import {delimiter, join} from 'node:path'
import {promisify} from 'node:util'
import {debianMirror} from './debian.js'

/** What `startEngine` runs of this machine's own programs. */
const programs = ['apt-get', 'dpkg-deb', 'env', 'ip', 'mount', 'nsenter', 'setpriv', 'sh', 'unshare']

/** Says why this machine cannot start an engine, in words that follow "because"; undefined when nothing is in the way. */
export async function engineObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`
  if (process.getuid?.() !== 0) return 'this process does not run as root'
  const missing = await missingPrograms()
  if (missing.length > 0) return `these programs are missing: ${missing.join(', ')}`
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const version = Number(/^VERSION_ID="?(\d+)/m.exec(release)?.[1] ?? Infinity)
  if (!/^ID="?debian"?$/m.test(release) || version < 12) return 'this is not Debian 12 or later'
  return (await failureOf(debianMirror())) ?? (await namespacesObstacle())
}

async function missingPrograms(): Promise<readonly string[]> {
  const directories = (process.env.PATH ?? '').split(delimiter)
  const found = await Promise.all(
    programs.map(program =>
      Promise.any(directories.map(directory => access(join(directory, program), constants.X_OK))).then(
        () => true,
        () => false
      )
    )
  )
  return programs.filter((_, index) => found[index] === false)
}

/** Even root may not make namespaces or mount where, as in most containers, it lacks the capability. */
async function namespacesObstacle(): Promise<string | undefined> {
  const attempt = ['--net', '--mount', '--pid', '--fork', '--mount-proc', 'mount', '-t', 'tmpfs', 'tmpfs', '/run']
  const failure = await failureOf(promisify(execFile)('unshare', attempt))
  return failure === undefined ? undefined : `this process may not make namespaces: ${failure}`
}

async function failureOf(attempt: Promise<unknown>): Promise<string | undefined> {
  return attempt.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message.trim() : String(error))
  )
}
