import {execFileSync} from 'node:child_process'
import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'

/** A new directory of links to programs found on `path`, to be a PATH without any others. Returns `directory`. */
export async function programDirectory(
  directory: string,
  names: readonly string[],
  path = process.env.PATH ?? ''
): Promise<string> {
  await mkdir(directory, {recursive: true})
  for (const name of names) {
    const found = execFileSync('/bin/sh', ['-c', 'command -v "$0"', name], {env: {PATH: path}, encoding: 'utf8'})
    await symlink(found.trim(), join(directory, name))
  }
  return directory
}

/** Puts a `docker` into `directory` that says it is of these versions, for those that no machine of today has. */
export async function writeOldDocker(
  directory: string,
  {buildx, buildkit}: {readonly buildx: string; readonly buildkit: string}
): Promise<void> {
  const script = `#!/bin/sh
case "$1 $2" in
  "--version ") echo "Docker version 23.0.6, build ef23cbc" ;;
  "buildx version") echo "github.com/docker/buildx ${buildx}" ;;
  "buildx inspect") printf 'Name:   default\\nDriver: docker\\n\\nBuildkit:  ${buildkit}\\nPlatforms: linux/amd64\\n' ;;
  "info --format") echo '{"ServerVersion": "23.0.6", "OSType": "linux", "Architecture": "x86_64"}' ;;
esac
`
  await writeFile(join(directory, 'docker'), script, {mode: 0o755})
}
