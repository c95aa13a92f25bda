import {join} from 'node:path'
import {knownTypes, planBackends} from '../cache/backends.js'
import {platformsPart} from '../cache/keys.js'
import {planMounts} from '../cache/plan-mounts.js'
import {importLines, layerBake, planLayers, resultExportLines, type LayerPlan} from '../cache/plan-layers.js'
import type {Frontend} from '../recipes/frontend.js'
import {bakeCommand, type Permissions} from './bake-command.js'
import {bakeOverride} from './bake-override.js'
import type {InventoriedComponent} from './inventory.js'
import type {BuildSettings} from './plan-build.js'
import type {PlannedCaches, PlannedExport, PlannedFile} from './plan.js'

/** What is decided of a build before its caches. */
export interface BuildParts {
  /** The text that is built. */
  readonly dockerfile: string
  readonly frontend: Frontend
  /** As JSON, if there is one. */
  readonly policy: string | undefined
  /** Variables set for the command, and the files that they name. */
  readonly environment: Readonly<Record<string, string>>
  readonly files: readonly PlannedFile[]
  /** `secret` lines of its steps. */
  readonly secrets: readonly string[]
  /** Of this build alone. */
  readonly directory: string
}

/** The caches of a build, and what follows from them for its bake. */
export interface CachePlan {
  readonly caches: PlannedCaches
  readonly cacheFrom: readonly string[]
  readonly cacheTo: readonly string[]
  readonly permissions: Permissions
}

/** Decides what is kept of a build. The user's own `cache-to` takes the place of our layers. */
export function planCaches(component: InventoriedComponent, settings: BuildSettings, parts: BuildParts): CachePlan {
  const {inputs, builder, engine, place} = settings
  const targetPlatforms = inputs.platforms.length === 0 ? [builder.platform] : inputs.platforms
  const own = inputs.cacheKey === '' ? 'build-moby' : `${inputs.cacheKey}-build-moby`
  const {from, to, notes, variables, reads, writes} = planBackends({
    from: inputs.cacheFrom,
    to: builder.exportsCaches ? inputs.cacheTo : [],
    environment: place.environment,
    workspace: place.workspace,
    buildx: engine.buildx,
    ...(builder.buildkit === undefined ? {} : {buildkit: builder.buildkit}),
    known: knownTypes(builder.driver, builder.exportsCaches),
    builderStays: builder.kind === 'existing',
    scope: [own, component.component, platformsPart(targetPlatforms), inputs.target].join('-')
  })
  // Several nodes would export to one place, where the last one wins.
  const oneNode = inputs.platforms.length < 2 || builder.kind === 'created' || builder.driver === 'docker'
  const keepsLayers = inputs.cache !== 'off' && builder.exportsCaches && oneNode && to.length === 0
  const plan: LayerPlan = keepsLayers
    ? planLayers(component, {
        ...parts,
        ...(parts.frontend.image === undefined ? {} : {frontendImage: parts.frontend.image}),
        rest: [parts.policy ?? ''],
        imageDigests: settings.imageDigests,
        cacheKey: inputs.cacheKey,
        target: inputs.target,
        buildPlatform: builder.platform,
        targetPlatforms,
        unique: settings.unique
      })
    : {}
  const mounts = inputs.cache === 'full' ? planMounts(component, settings, parts) : undefined
  return {
    caches: {
      ...(plan.result && {result: plan.result}),
      ...(plan.layers && {layers: exportedLayers(plan.layers, component, settings, parts)}),
      ...(mounts && {mounts}),
      from,
      to,
      variables,
      notes
    },
    cacheFrom: [...importLines(plan), ...from],
    cacheTo: [...resultExportLines(plan), ...to],
    permissions: {reads, writes}
  }
}

function exportedLayers(
  planned: NonNullable<LayerPlan['layers']>,
  {treeBuild, source}: InventoriedComponent,
  {inputs, builder, engine, workDirectory}: BuildSettings,
  {environment, directory, secrets}: BuildParts
): NonNullable<PlannedCaches['layers']> {
  const {export: order, ...layers} = planned
  const dockerfile = {path: join(directory, 'layers.Dockerfile'), content: order.dockerfile}
  const bake = layerBake(planned, dockerfile.path, inputs.platforms, secrets)
  const override = {path: join(directory, 'layers-override.json'), content: bakeOverride(treeBuild, bake)}
  const run: PlannedExport = {
    command: bakeCommand(treeBuild.bakeTarget, override.path, {
      builder: builder.name,
      buildx: engine.buildx,
      workDirectory
    }),
    workingDirectory: source.directory,
    environment,
    files: [dockerfile, override]
  }
  return {...layers, ...run}
}
