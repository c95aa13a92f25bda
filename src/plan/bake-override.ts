import type {PlannedCache} from './plan.js'
import type {TreeBuild} from '../recipes/recipe.js'

/** A bake target as JSON (docs.docker.com/build/bake/reference). */
interface BakeTarget {
  readonly context?: string
  readonly dockerfile?: string
  readonly 'dockerfile-inline'?: string
  readonly contexts?: Readonly<Record<string, string>>
  readonly args?: Readonly<Record<string, string>>
  readonly platforms?: readonly string[]
  readonly output?: readonly string[]
  readonly 'cache-from'?: readonly string[]
  readonly 'cache-to'?: readonly string[]
  readonly secret?: readonly string[]
}

/** A base image to be primed: the context name under which the tree finds it, and how it is made. */
export interface PrimedImage {
  readonly namedContext: string
  readonly dockerfile: string
}

/**
 * The bake file that is read after the tree's own and re-opens its target: arguments, primed base images in place of the
 * tree's, the output, the caches, the secrets. It lies outside the tree, so the tree stays as it was checked out.
 */
export function bakeOverride(
  build: TreeBuild,
  primedImages: readonly PrimedImage[],
  platforms: readonly string[],
  paths: {readonly dockerfile: string; readonly exportDirectory: string; readonly emptyContext: string},
  cache: PlannedCache | undefined,
  secrets: readonly string[] = []
): string {
  const onPlatforms = platforms.length === 0 ? {} : {platforms}
  const targets: Record<string, BakeTarget> = {
    [build.bakeTarget]: {
      dockerfile: paths.dockerfile,
      args: build.arguments,
      ...onPlatforms,
      output: [`type=local,dest=${paths.exportDirectory}`],
      ...(secrets.length === 0 ? {} : {secret: secrets}),
      ...(primedImages.length === 0
        ? {}
        : {
            contexts: Object.fromEntries(
              primedImages.map((image, index) => [image.namedContext, `target:${primedTarget(index)}`])
            )
          }),
      ...(cache === undefined
        ? {}
        : {
            'cache-from': [`type=local,src=${cache.importDirectory}`],
            'cache-to': [`type=local,dest=${cache.exportDirectory},mode=max,compression=zstd,ignore-error=true`]
          })
    }
  }
  for (const [index, image] of primedImages.entries()) {
    targets[primedTarget(index)] = {context: paths.emptyContext, 'dockerfile-inline': image.dockerfile, ...onPlatforms}
  }
  return `${literal(JSON.stringify({target: targets}, undefined, 2))}\n`
}

// Every string of a bake file is a template (github.com/hashicorp/hcl, json/spec.md): `${` begins an expression, `$${` stands
// for itself.
function literal(json: string): string {
  return json.replace(/[$%](?=\{)/g, '$&$&')
}

function primedTarget(index: number): string {
  return `build-moby-base-${index + 1}`
}
