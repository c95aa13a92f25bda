import type {Blobs} from './results-service-blobs.js'
import {type Method, refusal, success, textField, textsField} from './results-service-twirp.js'

export interface CacheEntry {
  readonly id: number
  readonly ref: string
  readonly key: string
  readonly version: string
  readonly blob: string
  /** False between reservation and the end of the upload; it takes the key, but is not found. */
  readonly complete: boolean
}

/**
 * GitHub's cache service v2. A key is looked up exactly, then each restore key as a prefix with the newest entry first,
 * in one scope after the other: https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching.
 * The key itself is not tried as a prefix, so that nobody relies on it.
 */
export function cacheService(blobs: Blobs): {
  methods: Readonly<Record<string, Method>>
  entries: () => readonly CacheEntry[]
} {
  const entries: CacheEntry[] = []

  return {
    entries: () => [...entries],
    methods: {
      CreateCacheEntry(identity, request) {
        const [key, version] = [textField(request, 'key'), textField(request, 'version')]
        const ref = identity.scopes.find(scope => scope.writable)?.ref
        if (ref === undefined) return success({ok: false, message: 'cache write denied: the token is read-only'})
        if (entries.some(entry => entry.ref === ref && entry.key === key && entry.version === version)) {
          return refusal('already_exists', 'cache entry with the same key, version, and scope already exists')
        }
        const blob = blobs.create()
        entries.push({id: entries.length + 1, ref, key, version, blob, complete: false})
        return success({ok: true, signed_upload_url: blobs.url(blob)})
      },

      async FinalizeCacheEntryUpload(identity, request) {
        const [key, version] = [textField(request, 'key'), textField(request, 'version')]
        const refs = identity.scopes.filter(scope => scope.writable).map(scope => scope.ref)
        const index = entries.findIndex(
          entry => refs.includes(entry.ref) && entry.key === key && entry.version === version && !entry.complete
        )
        const entry = entries[index]
        if (entry === undefined) return refusal('not_found', 'no such reservation')
        const size = await blobs.size(entry.blob)
        if (String(size) !== textField(request, 'size_bytes')) {
          return success({ok: false, message: `the upload has ${size ?? 0} bytes`})
        }
        entries[index] = {...entry, complete: true}
        return success({ok: true, entry_id: String(entry.id)})
      },

      GetCacheEntryDownloadURL(identity, request) {
        if (identity.scopes.length === 0) {
          return refusal('permission_denied', 'cache read denied: the token has no readable scopes')
        }
        const key = textField(request, 'key')
        const version = textField(request, 'version')
        const prefixes = textsField(request, 'restore_keys')
        for (const {ref} of identity.scopes) {
          const newestFirst = entries
            .filter(entry => entry.ref === ref && entry.version === version && entry.complete)
            .toReversed()
          const found = [
            newestFirst.find(entry => entry.key === key),
            ...prefixes.map(prefix => newestFirst.find(entry => entry.key.startsWith(prefix)))
          ].find(entry => entry !== undefined)
          if (found !== undefined) {
            return success({ok: true, signed_download_url: blobs.url(found.blob), matched_key: found.key})
          }
        }
        return success({ok: false})
      }
    }
  }
}
