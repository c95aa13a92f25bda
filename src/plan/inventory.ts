import {nativePlatform} from '../engine/platforms.js'
import type {EngineFacts} from '../engine/survey-engine.js'
import type {Inputs} from '../inputs.js'
import type {Endpoint} from '../network/endpoint.js'
import {parseDockerfile} from '../recipes/dockerfile.js'
import {endpointsOf} from '../recipes/endpoints.js'
import {externalSources, type ExternalSources} from '../recipes/external-sources.js'
import type {BuildOrder, Recipe, Tree, TreeBuild} from '../recipes/recipe.js'
import type {PlannedSource} from './plan.js'

/** A checked-out tree with its recipe and what was found out about it. */
export interface Component {
  readonly component: 'daemon' | 'client'
  readonly source: PlannedSource
  readonly tree: Tree
  readonly recipe: Recipe
  /** Whether the mirror has the frontend that the tree's Dockerfile asks for; undefined when nobody knows. */
  readonly mirrorHasFrontend?: boolean
}

/** A component with the build its recipe makes of it, and all that this build takes from outside. */
export interface InventoriedComponent extends Component {
  readonly treeBuild: TreeBuild
  readonly sources: ExternalSources
}

/** Looks through a tree for what building it takes from outside. */
export function takeInventory(component: Component, inputs: Inputs, engine: EngineFacts): InventoriedComponent {
  const treeBuild = component.recipe.plan(component.tree, buildOrder(component.source, inputs))
  const platform = nativePlatform(engine)
  const sources = externalSources(
    parseDockerfile(treeBuild.dockerfile),
    treeBuild.stage,
    {
      arguments: treeBuild.arguments,
      buildPlatform: platform,
      targetPlatforms: inputs.platforms.length === 0 ? [platform] : inputs.platforms
    },
    component.tree
  )
  return {...component, treeBuild, sources}
}

/** Everything that the builds of these components download, whoever fetches it. */
export function downloadsOf(components: readonly InventoriedComponent[]): Endpoint[] {
  return components.flatMap(({component, sources}) => endpointsOf(sources, {component, builderFetcher: 'buildkitd'}))
}

function buildOrder(source: PlannedSource, inputs: Inputs): BuildOrder {
  return {
    target: inputs.target,
    version: source.version,
    shortCommit: source.shortCommit,
    commitTime: source.commitTime,
    buildArguments: inputs.buildArguments,
    ...(inputs.product === undefined ? {} : {product: inputs.product}),
    ...(inputs.platformName === undefined ? {} : {platformName: inputs.platformName}),
    ...(inputs.packagerName === undefined ? {} : {packagerName: inputs.packagerName})
  }
}
