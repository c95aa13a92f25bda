export type EndpointKind = 'git' | 'frontend' | 'image' | 'http' | 'apt' | 'apk' | 'go' | 'sumdb' | 'pip' | 'gem'

/** The process that downloads: our own git, the Docker daemon, a builder of its own, or a `RUN` step. */
export type Fetcher = 'git' | 'dockerd' | 'buildkitd' | 'build step'

/** A place outside that a run downloads from. Holds no secret. */
export interface Endpoint {
  readonly kind: EndpointKind
  /**
   * An image in full (`docker.io/library/golang:1.24.9-bookworm`), or a URL. Package sources that only the image names
   * have a star in place of their host, and the path they are known by.
   */
  readonly what: string
  /** The hosts that are asked when nothing mirrors it; empty where only the image names them. */
  readonly hosts: readonly string[]
  readonly fetcher: Fetcher
  /** Where it is asked for; absent for what the action itself needs. */
  readonly from?: {readonly component: 'daemon' | 'client'; readonly file: string; readonly line: number}
}

/** How an endpoint is reached. */
export interface Route {
  /** `daemon`: as the daemon or builder that exists already is configured, directly or through a proxy of its own. */
  readonly via: 'mirror' | 'proxy' | 'direct' | 'daemon' | 'refused' | 'this machine'
  /** The URL or image that is really asked for, on a mirror or not. */
  readonly target: string
  /** The proxy in between, a mirror's included, without credentials. */
  readonly proxy?: string
  /** The inputs that decide this, the one to change first. */
  readonly inputs: readonly string[]
}

export interface RoutedEndpoint extends Endpoint {
  readonly route: Route
}
