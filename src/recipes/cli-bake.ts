import {buildTime, declareArguments, type Recipe} from './recipe.js'

/**
 * docker/cli since v20.10.6: `docker buildx bake binary`. It has arguments for version and packager only; commit, build
 * time and platform name are read from the environment of the step (scripts/build/.variables@v28.5.2).
 */
export const cliBake: Recipe = {
  name: 'cli-bake',
  covers: 'docker/cli trees that build with docker-bake.hcl (v20.10.6 to master)',

  recognises(tree) {
    return (
      /^\s*target "binary"/m.test(tree['docker-bake.hcl'] ?? '') &&
      tree.Dockerfile !== undefined &&
      tree['scripts/build/.variables'] !== undefined
    )
  },

  plan(tree, order) {
    return {
      bakeTarget: 'binary',
      stage: 'binary',
      dockerfile: declareArguments(tree.Dockerfile ?? '', ['GITCOMMIT', 'PLATFORM', buildTime(order.commitTime)]),
      // The commit is given, so the history need not travel into the build, nor spoil its cache with every new clone.
      dockerignore: `${tree['.dockerignore'] ?? ''}\n.git\n`,
      arguments: {
        VERSION: order.version,
        PACKAGER_NAME: order.packagerName ?? '',
        GITCOMMIT: order.shortCommit,
        PLATFORM: order.platformName ?? '',
        ...order.buildArguments
      },
      commitVariables: ['VERSION', 'GITCOMMIT', 'SOURCE_DATE_EPOCH'],
      stampedBinary: 'docker'
    }
  }
}
