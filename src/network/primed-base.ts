import type {PrefixRule} from '../inputs.js'

/** What a base image gets before a tree's own stages build on it. */
export interface Priming {
  /** Base URL for Debian and Ubuntu package sources, without a slash at its end. */
  readonly aptMirror?: string
  readonly gitMirrors: readonly PrefixRule[]
  /** Variables for the build steps, such as `GOPROXY`. */
  readonly environment: Readonly<Record<string, string>>
}

/** Whether there is anything to prime at all. */
export function isPriming({aptMirror, gitMirrors, environment}: Priming): boolean {
  return aptMirror !== undefined || gitMirrors.length > 0 || Object.keys(environment).length > 0
}

/**
 * A Dockerfile for an image that stands in for `image` by a named context: the same image, its package sources, git and
 * environment pointed to the mirrors. That is how routes reach the steps of a tree that is never edited, on any builder
 * (docs.docker.com/reference/cli/docker/buildx/build, `--build-context`).
 *
 * The steps need only what every base image has: a POSIX shell and sed. Package sources are matched by path, because the
 * host in them differs between images and their ages.
 */
export function primedDockerfile(image: string, priming: Priming): string {
  const lines = [`FROM --platform=$BUILDPLATFORM ${image}`]
  for (const [name, value] of Object.entries(priming.environment)) lines.push(`ENV ${name}="${value}"`)
  if (priming.aptMirror !== undefined) lines.push(`RUN ${aptCommand(priming.aptMirror)}`)
  if (priming.gitMirrors.length > 0) lines.push(`RUN ${gitCommand(priming.gitMirrors)}`)
  return `${lines.join('\n')}\n`
}

// One-line lists (`deb http://host/debian bookworm main`) and deb822 (`URIs: http://host/debian`) alike.
function aptCommand(mirror: string): string {
  const expression = String.raw`s#https?://[^/[:space:]]+/(debian|debian-security|ubuntu|ubuntu-ports)(/|[[:space:]]|$)#${mirror}/\1\2#g`
  return (
    'for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do ' +
    `if [ -f "$list" ]; then sed -i -E '${expression}' "$list"; fi; done`
  )
}

// git reads /etc/gitconfig wherever it is installed from Debian's or Alpine's packages, also when that happens later.
function gitCommand(rules: readonly PrefixRule[]): string {
  const sections = rules.map(({from, to}) => String.raw`[url "${to}"]\n\tinsteadOf = ${from}\n`)
  return `printf '${sections.join('').replaceAll('%', '%%')}' >> /etc/gitconfig`
}
