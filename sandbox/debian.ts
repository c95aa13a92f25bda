import {mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {withLock} from './lock.js'
import {runProgram} from './program.js'

/** The archives that this machine's own apt sources name, without a slash at the end. */
export interface DebianMirror {
  readonly debian: string
  readonly debianSecurity: string
}

export interface DownloadOptions {
  /** A suite or code name: `testing`, `bookworm` … */
  readonly suite: string
  /** Names of binary packages. What they depend on is not added. */
  readonly names: readonly string[]
  /** Packages are kept below it from run to run, apt's lists as well. */
  readonly cacheDirectory: string
  readonly log: (line: string) => void
}

/** One line or stanza of apt's sources: an archive, and the settings that decide whether apt trusts it. */
interface Source {
  readonly uri: string
  /** Lines of a deb822 stanza. */
  readonly trust: readonly string[]
}

/** The archives of this machine, recognised by their path whatever their host. Throws when apt has none. */
export async function debianMirror(): Promise<DebianMirror> {
  const sources = await aptSources()
  const {uri: debian} = debianSource(sources)
  const debianSecurity = sources.find(({uri}) => uri.endsWith('/debian-security'))?.uri ?? `${debian}-security`
  return {debian, debianSecurity}
}

/**
 * Downloads packages with this machine's apt, from its own mirror and with its own trust in keys; nothing is installed,
 * and nothing that is installed matters. Returns the paths of the .deb files, in the order of `names`. Files of an earlier
 * run are used again, without asking the mirror. Throws when apt cannot get or verify a package.
 */
export async function downloadPackages(options: DownloadOptions): Promise<readonly string[]> {
  const {suite, names, cacheDirectory, log} = options
  const directory = join(cacheDirectory, 'packages', suite)
  await mkdir(directory, {recursive: true})
  // apt's own lock makes a second one fail, not wait.
  return withLock(join(directory, 'lock'), async () => {
    const missing = (await findPackages(directory, names)).filter(({file}) => file === undefined)
    if (missing.length > 0) {
      const missingNames = missing.map(({name}) => name)
      log(`downloading ${missingNames.join(', ')} of Debian ${suite}`)
      await download(directory, suite, missingNames, log)
    }
    return (await findPackages(directory, names)).map(({name, file}) => {
      if (file === undefined) throw new Error(`apt downloaded no package ${name} of Debian ${suite}`)
      return join(directory, file)
    })
  })
}

/** Unpacks .deb files into one directory, as if they were installed there, without running their scripts. */
export async function unpackPackages(debs: readonly string[], into: string): Promise<void> {
  for (const deb of debs) await runProgram(['dpkg-deb', '--extract', deb, into], {log: () => undefined})
}

/**
 * The archives in the files below `directory` (apt's own, if not given), in their order, in both of the formats that
 * sources.list(5) describes.
 */
export async function aptSources(directory = '/etc/apt'): Promise<readonly Source[]> {
  const parts = await readdir(join(directory, 'sources.list.d')).catch(() => [])
  const names = ['sources.list', ...parts.sort().map(part => join('sources.list.d', part))]
  const sources: Source[] = []
  for (const name of names) {
    const text = (await readFile(join(directory, name), 'utf8').catch(() => '')).replaceAll(/^[ \t]*#.*\n?/gm, '')
    if (name.endsWith('.list')) sources.push(...lineSources(text))
    if (name.endsWith('.sources')) sources.push(...text.split(/\n\s*\n/).flatMap(stanzaSources))
  }
  return sources
}

async function findPackages(
  directory: string,
  names: readonly string[]
): Promise<readonly {readonly name: string; readonly file: string | undefined}[]> {
  const files = await readdir(directory)
  return names.map(name => ({name, file: files.find(file => file.startsWith(`${name}_`) && file.endsWith('.deb'))}))
}

async function download(
  directory: string,
  suite: string,
  names: readonly string[],
  log: (line: string) => void
): Promise<void> {
  const configuration = await configureApt(join(directory, 'apt'), suite)
  const unfinished = await mkdtemp(join(directory, 'unfinished-'))
  try {
    await runProgram(['apt-get', '-qq', '-c', configuration, 'update'], {log})
    await runProgram(['env', `--chdir=${unfinished}`, 'apt-get', '-qq', '-c', configuration, 'download', ...names], {
      log
    })
    for (const file of await readdir(unfinished)) await rename(join(unfinished, file), join(directory, file))
  } finally {
    await rm(unfinished, {recursive: true, force: true})
  }
}

/**
 * Writes what is different from this machine's apt configuration, which stays in force otherwise (proxies, credentials,
 * whether old lists are accepted): one suite, a state of its own, no hooks, no pins. Returns the file's path.
 */
async function configureApt(directory: string, suite: string): Promise<string> {
  for (const part of ['sources', 'lists/partial', 'archives/partial']) {
    await mkdir(join(directory, part), {recursive: true})
  }
  const {uri, trust} = debianSource(await aptSources())
  const source = ['Types: deb', `URIs: ${uri}`, `Suites: ${suite}`, 'Components: main', ...trust]
  await writeFile(join(directory, 'sources/debian.sources'), `${source.join('\n')}\n`)
  const settings = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(directory, 'sources'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': join(directory, 'lists'),
    // Of an installed version that the mirror does not have, apt would look for nothing else.
    'Dir::State::Status': '/dev/null',
    'Dir::Cache': directory,
    'Acquire::Languages': 'none',
    // apt's own user may not write to a home directory.
    'APT::Sandbox::User': 'root'
  }
  const lines = [
    ...['APT::Update', 'APT::Default-Release'].map(name => `#clear ${name};`),
    ...Object.entries(settings).map(([name, value]) => `${name} "${value}";`)
  ]
  const path = join(directory, 'apt.conf')
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}

function debianSource(sources: readonly Source[]): Source {
  const source = sources.find(({uri}) => uri.endsWith('/debian'))
  if (source === undefined) throw new Error('no apt source of this machine ends in /debian: the sandbox needs Debian')
  return source
}

const trustFields = ['Signed-By', 'Check-Valid-Until', 'Check-Date']

/** Reads lines like `deb [signed-by=/a.gpg check-valid-until=no] http://host/debian bookworm main`. */
function lineSources(text: string): Source[] {
  return [...text.matchAll(/^[ \t]*deb[ \t]+(?:\[([^\]]*)\][ \t]+)?(https?:\S+)/gm)].map(
    ([, settings = '', uri = '']) => ({
      uri: withoutSlash(uri),
      trust: trustFields.flatMap(field => {
        const value = new RegExp(`(?:^|\\s)${field}=(\\S+)`, 'i').exec(settings)?.[1]
        return value === undefined ? [] : [`${field}: ${value}`]
      })
    })
  )
}

/** Reads one stanza of fields; the value of `Signed-By` may be a whole key, on indented lines. */
function stanzaSources(stanza: string): Source[] {
  const fields = new Map(
    [...stanza.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)].map(([, name = '', value = '']) => [
      name.toLowerCase(),
      value
    ])
  )
  const words = (name: string): string[] => fields.get(name)?.split(/\s+/) ?? []
  if (!words('types').includes('deb') || fields.get('enabled') === 'no') return []
  const trust = trustFields.flatMap(field => {
    const value = fields.get(field.toLowerCase())
    return value === undefined ? [] : [`${field}: ${value}`]
  })
  return words('uris')
    .filter(uri => /^https?:/.test(uri))
    .map(uri => ({uri: withoutSlash(uri), trust}))
}

function withoutSlash(uri: string): string {
  return uri.replace(/\/+$/, '')
}
