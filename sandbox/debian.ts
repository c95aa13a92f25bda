import {randomUUID} from 'node:crypto'
import {mkdir, readFile, readdir, rename, rm, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {withLock} from './lock.js'
import {runProgram} from './program.js'

/** The archives that this machine's own apt sources name, without a slash at the end. */
export interface DebianMirror {
  readonly debian: string
  readonly debianSecurity: string
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The archives of this machine, recognised by their path whatever their host. Throws when apt has none. */
export async function debianMirror(): Promise<DebianMirror> {
  const uris = await sourceUris()
  const debian = uris.find(uri => uri.endsWith('/debian'))
  if (debian === undefined) throw new Error('no apt source of this machine ends in /debian: the sandbox needs Debian')
  const debianSecurity = uris.find(uri => uri.endsWith('/debian-security')) ?? `${debian}-security`
  return {debian, debianSecurity}
}

/**
 * Downloads packages of a suite (`bookworm`, `testing` …) with apt, signatures verified, nothing installed. Returns the
 * paths of the .deb files, in the order of `names`; files of an earlier run are used again.
 */
export async function downloadPackages(options: {
  readonly suite: string
  readonly names: readonly string[]
  readonly cacheDirectory: string
  readonly log: (line: string) => void
}): Promise<readonly string[]> {
  const {suite, names, cacheDirectory, log} = options
  const directory = join(cacheDirectory, 'packages', suite)
  for (const made of [directory, join(cacheDirectory, 'apt')]) await mkdir(made, {recursive: true})
  const missing = await missingFrom(directory, names)
  if (missing.length > 0) {
    log(`downloading ${missing.join(', ')} of Debian ${suite}`)
    // apt's own lock makes a second one fail, not wait.
    await withLock(join(cacheDirectory, 'apt', 'lock'), () => download(suite, missing, directory, options))
  }
  const files = await readdir(directory)
  return names.map(name => {
    const file = files.findLast(candidate => candidate.startsWith(`${name}_`))
    if (file === undefined) throw new Error(`apt downloaded no package ${name} of Debian ${suite}`)
    return join(directory, file)
  })
}

async function download(
  suite: string,
  names: readonly string[],
  directory: string,
  {cacheDirectory, log}: {readonly cacheDirectory: string; readonly log: (line: string) => void}
): Promise<void> {
  const apt = await privateApt(suite, cacheDirectory)
  const fresh = join(directory, randomUUID())
  await mkdir(fresh)
  try {
    await runProgram(['apt-get', ...apt, 'update'], {log})
    await runProgram(['env', `--chdir=${fresh}`, 'apt-get', ...apt, 'download', ...names], {log})
    for (const name of await readdir(fresh)) await rename(join(fresh, name), join(directory, name))
  } finally {
    await rm(fresh, {recursive: true, force: true})
  }
}

/** Unpacks .deb files into one directory, as if they were installed there, without running their scripts. */
export async function unpackPackages(debs: readonly string[], into: string): Promise<void> {
  for (const deb of debs) await runProgram(['dpkg-deb', '--extract', deb, into], {log: () => undefined})
}

async function missingFrom(directory: string, names: readonly string[]): Promise<string[]> {
  const files = await readdir(directory)
  return names.filter(name => !files.some(file => file.startsWith(`${name}_`) && file.endsWith('.deb')))
}

/** Options that make apt work on one suite, in directories of its own. */
async function privateApt(suite: string, cacheDirectory: string): Promise<string[]> {
  const {debian} = await debianMirror()
  const state = join(cacheDirectory, 'apt', suite)
  for (const part of ['lists/partial', 'archives/partial']) await mkdir(join(state, part), {recursive: true})
  const sources = join(state, 'sources.list')
  const signedBy = await stat(keyring).then(
    () => `[signed-by=${keyring}] `,
    () => ''
  )
  await writeFile(sources, `deb ${signedBy}${debian} ${suite} main\n`)
  return [
    '-qq',
    ...Object.entries({
      'Dir::Etc::SourceList': sources,
      'Dir::Etc::SourceParts': '/dev/null',
      'Dir::State::Lists': join(state, 'lists'),
      'Dir::Cache': state,
      'APT::Sandbox::User': 'root',
      'APT::Get::List-Cleanup': '0'
    }).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  ]
}

async function sourceUris(): Promise<string[]> {
  const directory = '/etc/apt/sources.list.d'
  const lists = (await readdir(directory).catch(() => [])).filter(name => /\.(list|sources)$/.test(name))
  const texts = await Promise.all(
    ['/etc/apt/sources.list', ...lists.map(name => join(directory, name))].map(path =>
      readFile(path, 'utf8').catch(() => '')
    )
  )
  const lines = texts
    .join('\n')
    .split('\n')
    .filter(line => /^\s*(deb\s|URIs:)/.test(line))
  return lines.flatMap(line => line.match(/https?:\/\/\S+/g) ?? []).map(uri => uri.replace(/\/+$/, ''))
}
