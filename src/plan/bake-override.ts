import type {TreeBuild} from '../recipes/recipe.js'

/** A bake target as JSON (docs.docker.com/build/bake/reference). */
interface BakeTarget {
  readonly dockerfile?: string
  readonly target?: string
  readonly args?: Readonly<Record<string, string>>
  readonly platforms?: readonly string[]
  readonly output?: readonly string[]
  readonly 'cache-from'?: readonly string[]
  readonly 'cache-to'?: readonly string[]
  readonly secret?: readonly string[]
}

/** How the target of a tree is built in place of how its own bake file says. */
export interface BakeOrder {
  /** Path. */
  readonly dockerfile: string
  /** The stage to build, if it is not the target's own. */
  readonly stage?: string
  /** Empty means the builder's own. */
  readonly platforms: readonly string[]
  readonly output: string
  readonly cacheFrom: readonly string[]
  readonly cacheTo: readonly string[]
  readonly secrets: readonly string[]
}

/**
 * The bake file that is read after the tree's own and re-opens its target: Dockerfile, arguments, the output, the caches,
 * the secrets. It lies outside the tree, so the tree stays as it was checked out.
 */
export function bakeOverride(build: Pick<TreeBuild, 'bakeTarget' | 'arguments'>, order: BakeOrder): string {
  const target: BakeTarget = {
    dockerfile: order.dockerfile,
    ...(order.stage === undefined ? {} : {target: order.stage}),
    args: build.arguments,
    ...unlessEmpty('platforms', order.platforms),
    output: [order.output],
    ...unlessEmpty('secret', order.secrets),
    ...unlessEmpty('cache-from', order.cacheFrom),
    ...unlessEmpty('cache-to', order.cacheTo)
  }
  return `${literal(JSON.stringify({target: {[build.bakeTarget]: target}}, undefined, 2))}\n`
}

function unlessEmpty(name: string, values: readonly string[]): Record<string, readonly string[]> {
  return values.length === 0 ? {} : {[name]: values}
}

// Every string of a bake file is a template (github.com/hashicorp/hcl, json/spec.md): `${` begins an expression, `$${` stands
// for itself.
function literal(json: string): string {
  return json.replace(/[$%](?=\{)/g, '$&$&')
}
