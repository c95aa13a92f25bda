import {buildTime, declareArguments, type Recipe} from './recipe.js'

/**
 * moby from v23.0.0-rc.2 to master: `docker buildx bake binary|dynbinary|all` (docker-bake.hcl and Dockerfile of those
 * tags). v22.06.0-beta.0 to v23.0.0-rc.1 have a bake file too, without the target `all` and without stamps.
 */
export const mobyBake: Recipe = {
  name: 'moby-bake',
  covers: "moby trees whose docker-bake.hcl has the target 'all' (v23.0.0 to master, tags since v29 are docker-v29…)",

  recognises(tree) {
    return /^\s*target "all"/m.test(tree['docker-bake.hcl'] ?? '') && tree.Dockerfile !== undefined
  },

  plan(tree, order) {
    return {
      bakeTarget: order.target,
      stage: order.target === 'all' ? 'all' : 'binary',
      // hack/make.sh takes the build time from it, so that the same commit gives the same bytes.
      dockerfile: declareArguments(tree.Dockerfile ?? '', [buildTime(order.commitTime)]),
      dockerignore: tree['.dockerignore'] ?? '',
      arguments: {
        VERSION: order.version,
        DOCKER_GITCOMMIT: order.shortCommit,
        PLATFORM: order.platformName ?? '',
        PRODUCT: order.product ?? '',
        DEFAULT_PRODUCT_LICENSE: '',
        PACKAGER_NAME: order.packagerName ?? '',
        ...order.buildArguments
      },
      commitVariables: ['VERSION', 'DOCKER_GITCOMMIT', 'SOURCE_DATE_EPOCH'],
      stampedBinary: 'dockerd'
    }
  }
}
