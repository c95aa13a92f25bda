import {mkdtemp, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {command} from './commands.js'

export const builderKinds = ['docker', 'docker-container', 'remote', 'two-nodes'] as const
export type BuilderKind = (typeof builderKinds)[number]

const name = 'bench'
const image = 'moby/buildkit:buildx-stable-1'

/**
 * Makes a builder of the kind in a fresh engine and resolves with its name; undefined for the engine's own. All kinds but
 * that one run BuildKit from the `docker save` archive that BUILD_MOBY_TEST_BUILDKIT_IMAGE names.
 */
export async function prepareBuilder(
  kind: BuilderKind,
  environment: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>>
): Promise<string | undefined> {
  if (kind === 'docker') return undefined
  const archive = process.env.BUILD_MOBY_TEST_BUILDKIT_IMAGE
  if (archive === undefined) throw new Error(`BUILDER_KIND=${kind} takes BUILD_MOBY_TEST_BUILDKIT_IMAGE`)
  const docker = (...words: readonly string[]) => command(['docker', ...words], {environment})
  await docker('load', '--input', archive)
  const directory = await mkdtemp(join(tmpdir(), 'build-moby-builder-'))
  try {
    const configuration = join(directory, 'buildkitd.toml')
    await writeFile(configuration, plainHttp(inputs['registry-mirrors'] ?? ''))
    if (kind === 'remote') {
      const options = ['--detach', '--privileged', '--volume', `${configuration}:/etc/buildkit/buildkitd.toml`]
      const container = (
        await docker(
          'run',
          ...options,
          image,
          '--addr',
          'tcp://0.0.0.0:1234',
          '--addr',
          'unix:///run/buildkit/buildkitd.sock'
        )
      ).trim()
      const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
      const address = (await docker('inspect', '--format', format, container)).trim()
      await docker('buildx', 'create', `--name=${name}`, '--driver=remote', `tcp://${address}:1234`)
    } else {
      const create = ['buildx', 'create', `--name=${name}`, '--driver=docker-container', `--driver-opt=image=${image}`]
      create.push(`--buildkitd-config=${configuration}`)
      await docker(...create, `--node=${name}0`)
      if (kind === 'two-nodes') {
        // buildx takes no endpoint twice, by its text.
        const socket = (environment.DOCKER_HOST ?? '').replace(/^unix:\/\//, '')
        await symlink(socket, `${socket}-2`)
        await docker(...create, '--append', `--node=${name}1`, `unix://${socket}-2`)
      }
    }
    await docker('buildx', 'inspect', '--bootstrap', name)
    return name
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

/** buildkitd.toml for registries that are mirrors at `http://…`. */
function plainHttp(registryMirrors: string): string {
  const hosts = [...registryMirrors.matchAll(/=http:\/\/([^/\s]+)/g)].map(match => match[1] ?? '')
  return hosts.map(host => `[registry."${host}"]\n  http = true\n`).join('')
}
