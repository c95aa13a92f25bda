/** An image reference, taken apart as Docker does (distribution/reference). */
export interface ImageReference {
  /** Host of the registry, `docker.io` when the reference names none. */
  readonly registry: string
  /** Path in the registry, with `library/` for Docker's official images. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

/** Takes an image reference apart; a reference without tag and digest gets the tag `latest`. */
export function parseImageReference(reference: string): ImageReference {
  const [name = '', digest] = reference.split('@', 2)
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const hasRegistry = /[.:]/.test(first) || first === 'localhost'
  const rest = hasRegistry ? name.slice(slash + 1) : name
  const colon = rest.lastIndexOf(':')
  const path = colon > rest.lastIndexOf('/') ? rest.slice(0, colon) : rest
  const tag = colon > rest.lastIndexOf('/') ? rest.slice(colon + 1) : undefined
  const registry = hasRegistry ? normalRegistry(first) : 'docker.io'
  return {
    registry,
    repository: registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path,
    ...(tag === undefined ? (digest === undefined ? {tag: 'latest'} : {}) : {tag}),
    ...(digest === undefined ? {} : {digest})
  }
}

/** The full form, for example `docker.io/library/busybox:latest`. */
export function formatImageReference({registry, repository, tag, digest}: ImageReference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** `index.docker.io` and `registry-1.docker.io` are other names of docker.io. */
export function normalRegistry(host: string): string {
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host
}
