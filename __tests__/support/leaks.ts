import {execFile, spawn} from 'node:child_process'
import {createReadStream, createWriteStream} from 'node:fs'
import {mkdir, open, readFile, readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {promisify} from 'node:util'
import {createGunzip} from 'node:zlib'
import {unzipSync} from 'fflate'
import type {ActionResult} from './runner.js'

const run = promisify(execFile)

/** All the ways in which a user's password may have been written down. */
export function formsOf(user: string, password: string, percentEncoded: string): readonly string[] {
  const plain = [password, percentEncoded, encodeURIComponent(password)]
  return [...new Set([...plain, ...plain.flatMap(text => [text, `${user}:${text}`].flatMap(base64Forms))])]
}

/** What a text becomes within a longer one in base64: its bytes fall on any of three positions. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map(before => {
    const encoded = Buffer.from('x'.repeat(before) + text).toString('base64')
    // Only digits whose six bits belong to the text.
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + Buffer.byteLength(text)) * 8) / 6))
  })
}

/** The lines that contain one of the texts. */
export function linesWith(texts: readonly string[], content: string): string[] {
  return content.split('\n').filter(line => texts.some(text => line.includes(text)))
}

/** The lines of all that a run has shown or handed on that contain one of the texts, but for those that mask it. */
export function shownWith(texts: readonly string[], {main, post}: ActionResult): string[] {
  return [main, ...(post === undefined ? [] : [post])].flatMap(phase => {
    const {log, printed, problems, ...others} = phase
    const printedLines = printed.split('\n').filter(line => !line.startsWith('::add-mask::'))
    return linesWith(texts, [log, ...printedLines, ...problems, JSON.stringify(others)].join('\n'))
  })
}

/** The files below the directories, at any depth and of any kind, whose bytes contain one of the texts. */
export async function filesWith(texts: readonly string[], directories: readonly string[]): Promise<string[]> {
  const options = ['--recursive', '--files-with-matches', '--text', '--fixed-strings', '--file=-']
  const child = spawn('grep', [...options, ...directories], {
    env: {PATH: process.env.PATH, LC_ALL: 'C'},
    stdio: ['pipe', 'pipe', 'ignore']
  })
  child.stdin.end(texts.join('\n'))
  let found = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) found += String(chunk)
  return found.split('\n').filter(line => line !== '')
}

/**
 * Unpacks every gzip, zstd, zip and tar file below a directory, if its path there is one of the `wanted`, and what is
 * packed in it, so many `levels` deep, to `target`, which is made. Returns how many there were.
 */
export async function unpackAll(
  directory: string,
  target: string,
  {wanted = /./, levels = Infinity}: {readonly wanted?: RegExp; readonly levels?: number} = {}
): Promise<number> {
  await mkdir(target, {recursive: true})
  let count = 0
  for (const file of await regularFiles(directory)) {
    const into = join(target, String(count))
    if (!wanted.test(file.slice(directory.length)) || !(await unpack(file, into))) continue
    count += 1
    if (levels > 1) count += await unpackAll(into, `${into}-unpacked`, {levels: levels - 1})
  }
  return count
}

/** How deep a cache is packed: the archive, its tar, and the layers in that. Tars of files can be read as they are. */
export const cacheLevels = 3

// Those of image layers lie beside links to anywhere, which must not be followed.
async function regularFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, {withFileTypes: true})
  const nested = entries.map(async entry => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? await regularFiles(path) : entry.isFile() ? [path] : []
  })
  return (await Promise.all(nested)).flat()
}

async function unpack(file: string, into: string): Promise<boolean> {
  const kind = kindOf(await beginning(file))
  if (kind === undefined) return false
  await mkdir(into)
  const content = join(into, 'content')
  if (kind === 'gzip') await pipeline(createReadStream(file), createGunzip(), createWriteStream(content))
  else if (kind === 'zstd') await run('zstd', ['--decompress', '--quiet', file, '-o', content])
  else if (kind === 'tar') await run('tar', ['--extract', '--file', file, '--directory', into, '--no-same-owner'])
  else {
    const contents = Object.values(unzipSync(await readFile(file)))
    await Promise.all(contents.map((bytes, index) => writeFile(`${content}-${index}`, bytes)))
  }
  return true
}

function kindOf(head: Buffer): 'gzip' | 'zstd' | 'zip' | 'tar' | undefined {
  const hex = head.toString('hex')
  if (hex.startsWith('1f8b')) return 'gzip'
  if (hex.startsWith('28b52ffd')) return 'zstd'
  if (hex.startsWith('504b0304')) return 'zip'
  return head.toString('latin1', 257) === 'ustar' ? 'tar' : undefined
}

async function beginning(file: string): Promise<Buffer> {
  const handle = await open(file)
  try {
    const {buffer, bytesRead} = await handle.read(Buffer.alloc(262), 0, 262, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
