import {execFileSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

/**
 * Bundles src/main.ts, src/post.ts and src/cli.ts into dist/, each with the licenses of what it contains. What is loaded
 * on demand becomes a numbered file beside index.js. Why not `ncc --license`: 0.45.0 forgets packages as soon as there is
 * more than one file.
 */
const root = join(import.meta.dirname, '..')
const temporary = mkdtempSync(join(tmpdir(), 'build-moby-bundle-'))
try {
  // Files of an older bundle may have other numbers.
  rmSync(join(root, 'dist'), {recursive: true, force: true})
  for (const entry of ['main', 'post', 'cli']) bundle(entry)
} finally {
  rmSync(temporary, {recursive: true})
}

function bundle(entry: string): void {
  const output = join(root, 'dist', entry)
  const stats = join(temporary, `${entry}.json`)
  const ncc = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js')
  const argv = [ncc, 'build', join(root, 'src', `${entry}.ts`), '--out', output, '--stats-out', stats]
  execFileSync(process.execPath, argv, {cwd: root, stdio: 'inherit'})
  const {modules} = JSON.parse(readFileSync(stats, 'utf8')) as {modules: readonly Module[]}
  const directories = new Set(modules.flatMap(bundledFiles).flatMap(packageDirectory))
  writeFileSync(join(output, 'licenses.txt'), [...directories].sort().map(license).join('\n\n'))
}

/** A module in webpack's statistics; one that was made of several lists them. */
interface Module {
  readonly name: string
  /** Empty for what is only in others. */
  readonly chunks: readonly (number | string)[]
  readonly modules?: readonly {readonly name: string}[]
}

function bundledFiles({name, chunks, modules = []}: Module): readonly string[] {
  return chunks.length === 0 ? [] : [name, ...modules.map(part => part.name)]
}

/** `node_modules/name` of a file in a package, however deep it lies. */
function packageDirectory(file: string): readonly string[] {
  const directory = /^\.\/(.*node_modules\/(?:@[^/]+\/)?[^/ ]+)\//.exec(file)?.[1]
  return directory === undefined ? [] : [directory]
}

/** Name and version, license as declared, and its text, as far as the package has them. */
function license(directory: string): string {
  const path = join(root, directory)
  const described = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Record<string, unknown>
  const [name, version, declared = 'no license declared'] = [described.name, described.version, described.license].map(
    value => (typeof value === 'string' ? value : undefined)
  )
  const file = readdirSync(path, {withFileTypes: true}).find(each => each.isFile() && /^licen[cs]e\b/i.test(each.name))
  const text = file === undefined ? [] : [readFileSync(join(path, file.name), 'utf8').replaceAll('\r\n', '\n').trim()]
  return [`${name ?? directory} ${version ?? ''}`, declared, ...text, ''].join('\n')
}
