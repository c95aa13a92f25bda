import {isAtLeast, type Version} from '../engine/versions.js'

/** What a bake may reach outside the checkout, besides the directory of the run. */
export interface Permissions {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/** The command that builds a target of the tree's bake file, with `override` read after it. */
export function bakeCommand(
  target: string,
  override: string,
  {builder, buildx, workDirectory}: {builder: string; buildx: Version; workDirectory: string},
  {reads, writes}: Permissions = {reads: [], writes: []}
): string[] {
  return [
    'docker',
    'buildx',
    'bake',
    `--builder=${builder}`,
    '--file=docker-bake.hcl',
    `--file=${override}`,
    '--progress=rawjson',
    // Older ones let bake read and write everywhere (docker/buildx v0.18.0).
    ...(isAtLeast(buildx, [0, 18, 0])
      ? [
          ...[workDirectory, ...reads].map(path => `--allow=fs.read=${path}`),
          ...[workDirectory, ...writes].map(path => `--allow=fs.write=${path}`)
        ]
      : []),
    target
  ]
}
