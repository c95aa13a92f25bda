import {ConfigurationError} from '../errors.js'
import {buildkitOfFrontend, formatVersion, isAtLeast, type Version} from '../engine/versions.js'
import {parseImageReference} from '../network/images.js'
import {parseDockerfile} from './dockerfile.js'

/** Which program reads the Dockerfile: the image of its `# syntax` line, or what is built into BuildKit. */
export interface Frontend {
  readonly kind: 'image' | 'built-in'
  readonly image?: string
  /** Why it is not the one that the Dockerfile asks for. */
  readonly why?: string
}

/** The image of a Dockerfile's `# syntax` line, if it has one. */
export function syntaxImage(dockerfile: string): string | undefined {
  return parseDockerfile(dockerfile).syntax
}

/**
 * Decides for the frontend image unless the mirror is known to lack it; then the built-in frontend serves, if it is as
 * new as the Dockerfile needs. `mirrorHasIt` is undefined when there is no mirror or it does not say.
 *
 * @throws ConfigurationError when neither is possible.
 */
export function chooseFrontend(
  dockerfile: string,
  mirrorHasIt: boolean | undefined,
  mirroredName: string,
  buildkit: Version | undefined
): Frontend {
  const image = syntaxImage(dockerfile)
  if (image === undefined) return {kind: 'built-in'}
  if (mirrorHasIt !== false) return {kind: 'image', image}
  const needed = buildkitOfFrontend(neededFrontend(dockerfile, image))
  if (buildkit === undefined || isAtLeast(buildkit, needed)) {
    const version = buildkit === undefined ? 'BuildKit' : `BuildKit ${formatVersion(buildkit)}`
    return {
      kind: 'built-in',
      why: `The mirror has no ${mirroredName}, so the frontend that is built into ${version} reads the Dockerfile.`
    }
  }
  throw new ConfigurationError(
    `'registry-mirrors': the mirror has no ${mirroredName}, which this Dockerfile asks for, and the frontend built into BuildKit ${formatVersion(buildkit)} is too old to stand in for it (${formatVersion(needed)} is needed). Copy ${image} to the mirror, or update the engine.`
  )
}

/**
 * Whether the frontend gives a secret to a step in a variable: 1.10 was the first (docs.docker.com/reference/dockerfile,
 * RUN --mount=type=secret). One that is not pinned to a minor version is taken for newer, as is a BuildKit of unknown version.
 */
export function takesSecretVariables({image}: Frontend, buildkit: Version | undefined): boolean {
  const first = 10
  if (image !== undefined) return (pinnedMinor(image) ?? first) >= first
  return buildkit === undefined || isAtLeast(buildkit, buildkitOfFrontend(first))
}

/**
 * The minor version of the 1.x frontend that a Dockerfile needs: the one it pins, else by what it uses. 1.4 has
 * here-documents and `--link`, 1.18 the query form of `ADD https://….git?ref=` (moby/buildkit frontend/dockerfile
 * v0.10.0 and v0.24.0).
 */
function neededFrontend(dockerfile: string, image: string): number {
  const pinned = pinnedMinor(image)
  if (pinned !== undefined) return pinned
  const queries = parseDockerfile(dockerfile).stages.some(({instructions}) =>
    instructions.some(({keyword, text}) => keyword === 'ADD' && text.includes('.git?'))
  )
  return queries ? 18 : 4
}

function pinnedMinor(image: string): number | undefined {
  const minor = /^1\.(\d+)/.exec(parseImageReference(image).tag ?? '')?.[1]
  return minor === undefined ? undefined : Number(minor)
}
