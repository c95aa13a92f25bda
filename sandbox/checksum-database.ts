import {createHash, createPrivateKey, createPublicKey, type KeyObject, sign} from 'node:crypto'
import {escapeModule, type GoModule, goModText} from './go-proxy.js'
import type {StaticFiles} from './static-files.js'

/** A checksum database as `go` asks one (https://go.dev/ref/mod#checksum-database). */
export interface ChecksumDatabase {
  readonly files: StaticFiles
  /** The value of GOSUMDB for a client that finds the files below `url`: name, key and URL. */
  goSumdb(url: string): string
}

const databaseName = 'sum.sandbox.example'

/**
 * Makes the database of these modules, at most 255: a transparent log with one record for each. It is signed with a key
 * that everybody may know and that never changes, since Go's caches keep what an older key has signed.
 */
export function checksumDatabase(modules: readonly GoModule[]): ChecksumDatabase {
  if (modules.length > 255) throw new Error('one tile holds the sums of 255 modules and no more')
  const key = signingKey(digest('the key of the sandbox'))
  const records = modules.map(checksums)
  const leaves = records.map(record => digest(Buffer.of(0), record))
  const head = signedNote(`go.sum database tree\n${leaves.length}\n${treeHash(leaves).toString('base64')}\n`, key)
  const lookups = modules.map(({path, version}, id): [string, Buffer] => [
    `/lookup/${escapeModule(path)}@${escapeModule(version)}`,
    Buffer.from(`${id}\n${records[id] ?? ''}\n${head}`)
  ])
  return {
    files: new Map([
      ...lookups,
      ['/latest', Buffer.from(head)],
      // All hashes of the log's lowest level; `go` asks for no other tile of so small a log.
      [`/tile/8/0/000.p/${leaves.length}`, Buffer.concat(leaves)]
    ]),
    goSumdb: url => `${databaseName}+${keyHash(key).toString('hex')}+${publicKey(key).toString('base64')} ${url}`
  }
}

/** The lines of a module in go.sum (https://go.dev/ref/mod#go-sum-files). */
function checksums(module: GoModule): string {
  const {path, version, files} = module
  const names = Object.entries(files).map(([name, text]) => [`${path}@${version}/${name}`, text] as const)
  return (
    `${path} ${version} ${treeChecksum(names)}\n` +
    `${path} ${version}/go.mod ${treeChecksum([['go.mod', goModText(module)]])}\n`
  )
}

/** Go's `h1:`, the digest of a list like sha256sum's (https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1). */
function treeChecksum(files: readonly (readonly [name: string, text: string])[]): string {
  const lines = [...files].sort(([one], [other]) => (one < other ? -1 : 1))
  const list = lines.map(([name, text]) => `${digest(text).toString('hex')}  ${name}\n`).join('')
  return `h1:${digest(list).toString('base64')}`
}

/** The Merkle tree hash of a log (RFC 6962, section 2.1), given the hashes of its records. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves
  if (only === undefined) return digest('')
  if (leaves.length === 1) return only
  const half = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1)
  return digest(Buffer.of(1), treeHash(leaves.slice(0, half)), treeHash(leaves.slice(half)))
}

/** A text and its signature (https://pkg.go.dev/golang.org/x/mod/sumdb/note). */
function signedNote(text: string, key: KeyObject): string {
  const signature = Buffer.concat([keyHash(key), sign(undefined, Buffer.from(text), key)])
  return `${text}\n— ${databaseName} ${signature.toString('base64')}\n`
}

/** The first four bytes of the digest that identifies the key. */
function keyHash(key: KeyObject): Buffer {
  return digest(`${databaseName}\n`, publicKey(key)).subarray(0, 4)
}

/** A public key as notes have it: 1 for Ed25519, then its 32 bytes. */
function publicKey(key: KeyObject): Buffer {
  const {x = ''} = createPublicKey(key).export({format: 'jwk'})
  return Buffer.concat([Buffer.of(1), Buffer.from(x, 'base64url')])
}

/** The Ed25519 key of a seed of 32 bytes, by way of its PKCS #8 form (RFC 8410, section 7). */
function signingKey(seed: Buffer): KeyObject {
  const beginning = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({key: Buffer.concat([beginning, seed]), format: 'der', type: 'pkcs8'})
}

function digest(...parts: readonly (Buffer | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
