import {execFile} from 'node:child_process'
import {cpus, release, totalmem} from 'node:os'
import {promisify} from 'node:util'
import {formatSize} from '../../src/format.js'

/** What the figures of a run depend on, for the reader. `environment` finds docker. */
export async function machineText(node: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const ask = async (program: string, ...words: string[]): Promise<string> =>
    (await promisify(execFile)(program, words, {env: environment})).stdout.trim()
  const [docker, buildx, git, nodeVersion] = await Promise.all([
    ask('docker', 'version', '--format', '{{.Server.Version}}'),
    ask('docker', 'buildx', 'version'),
    ask('git', '--version'),
    ask(node, '--version')
  ])
  const processors = cpus()
  return [
    `${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, ${formatSize(totalmem())} of memory, Linux ${release()}`,
    `Docker Engine ${docker}, buildx ${buildx.split(' ')[1] ?? buildx}, ${git}, Node.js ${nodeVersion}`
  ].join('\n')
}
