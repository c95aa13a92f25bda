import type {Blobs} from './results-service-blobs.js'
import type {Identity} from './results-service-token.js'
import {type Fields, type Method, refusal, success, textField} from './results-service-twirp.js'

export interface PublishedEntry {
  readonly id: number
  readonly run: string
  readonly job: string
  readonly name: string
  readonly mimeType: string
  /** When it is to be removed, as the client said; '' for the repository's setting. */
  readonly expiresAt: string
  readonly createdAt: string
  readonly blob: string
  readonly size: number
  /** `sha256:` and the digest of the uploaded bytes; '' until the upload has ended. */
  readonly digest: string
}

/** GitHub's artifact service (v4 and later): immutable, one artifact per name and run. */
export function artifactService(blobs: Blobs): {
  methods: Readonly<Record<string, Method>>
  artifacts: () => readonly PublishedEntry[]
} {
  const artifacts: PublishedEntry[] = []
  const complete = () => artifacts.filter(artifact => artifact.digest !== '')

  function named(request: Fields): (artifact: PublishedEntry) => boolean {
    const run = textField(request, 'workflow_run_backend_id')
    const name = textField(request, 'name')
    return artifact => artifact.run === run && artifact.name === name
  }

  const methods: Record<string, Method> = {
    CreateArtifact({run, job}, request) {
      const name = textField(request, 'name')
      if (artifacts.some(named(request))) {
        return refusal('already_exists', 'an artifact with this name already exists on the workflow run')
      }
      const blob = blobs.create()
      const mimeType = textField(request, 'mime_type') || 'application/zip'
      artifacts.push({
        ...{id: artifacts.length + 1, run, job, name, mimeType, blob, size: 0, digest: ''},
        expiresAt: textField(request, 'expires_at'),
        createdAt: new Date().toISOString()
      })
      return success({ok: true, signed_upload_url: blobs.url(blob)})
    },

    async FinalizeArtifact(_identity, request) {
      const index = artifacts.findIndex(named(request))
      const artifact = artifacts[index]
      if (artifact === undefined) return refusal('not_found', 'no such artifact')
      const size = (await blobs.size(artifact.blob)) ?? 0
      const digest = `sha256:${await blobs.sha256(artifact.blob)}`
      if (String(size) !== textField(request, 'size') || digest !== textField(request, 'hash')) {
        return refusal('invalid_argument', `the upload has ${size} bytes and ${digest}`)
      }
      artifacts[index] = {...artifact, size, digest}
      return success({ok: true, artifact_id: String(artifact.id)})
    },

    ListArtifacts({run}, request) {
      const name = textField(request, 'name_filter')
      const id = textField(request, 'id_filter')
      const found = complete().filter(
        artifact =>
          artifact.run === run && (name === '' || artifact.name === name) && (id === '' || String(artifact.id) === id)
      )
      return success({
        artifacts: found.map(artifact => ({
          workflow_run_backend_id: artifact.run,
          workflow_job_run_backend_id: artifact.job,
          database_id: String(artifact.id),
          name: artifact.name,
          size: String(artifact.size),
          created_at: artifact.createdAt,
          digest: artifact.digest
        }))
      })
    },

    GetSignedArtifactURL(_identity, request) {
      const artifact = complete().find(named(request))
      if (artifact === undefined) return refusal('not_found', 'no such artifact')
      const file = artifact.mimeType === 'application/zip' ? `${artifact.name}.zip` : artifact.name
      const disposition = `attachment; filename="${file}"; filename*=UTF-8''${encodeURIComponent(file)}`
      blobs.describe(artifact.blob, artifact.mimeType, disposition)
      return success({signed_url: blobs.url(artifact.blob)})
    },

    async DeleteArtifact(_identity, request) {
      const index = artifacts.findIndex(named(request))
      const [artifact] = index === -1 ? [] : artifacts.splice(index, 1)
      if (artifact === undefined) return refusal('not_found', 'no such artifact')
      await blobs.remove(artifact.blob)
      return success({ok: true, artifact_id: String(artifact.id)})
    }
  }

  return {
    artifacts: complete,
    methods: Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, ofOwnRun(method)]))
  }
}

/** A token speaks for its own run only. */
function ofOwnRun(method: Method): Method {
  return (identity: Identity, request) =>
    textField(request, 'workflow_run_backend_id') === identity.run
      ? method(identity, request)
      : refusal('permission_denied', 'the token is for another run')
}
