import {existsSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {systemCommands} from '../../src/adapters/commands.js'
import {systemFiles} from '../../src/adapters/files.js'
import {terminalLog} from '../../src/adapters/terminal-log.js'
import type {Commands, Files} from '../../src/ports.js'
import {acquireSource} from '../../src/source/acquire-source.js'
import type {Source, SourcePorts, SourceRequest} from '../../src/source/source.js'

/** Real ports whose log is kept, and whose pauses are noted instead of waited for. */
export interface RecordingPorts extends SourcePorts {
  readonly output: () => string
  readonly pauses: readonly number[]
}

export function recordingPorts(commands: Commands = systemCommands(new AbortController().signal)): RecordingPorts {
  let output = ''
  const pauses: number[] = []
  const log = terminalLog(
    text => {
      output += text
    },
    {debug: true}
  )
  return {
    commands,
    files: realFiles(),
    log,
    clock: () => performance.now(),
    pause: milliseconds => {
      pauses.push(milliseconds)
      return Promise.resolve()
    },
    output: () => output,
    pauses
  }
}

// Node's own errors are no `Error` of the realm that jest makes, so the adapter cannot recognise a missing file here.
function realFiles(): Files {
  const files = systemFiles(tmpdir())
  return {
    ...files,
    kind: async path => (existsSync(path) ? await files.kind(path) : undefined),
    list: async path => (existsSync(path) ? await files.list(path) : [])
  }
}

/** A request for `ref` in `directory`, for a git without the machine's own configuration. */
export function sourceRequest(
  directory: string,
  ref: string,
  parts: Partial<SourceRequest> & Pick<SourceRequest, 'serverUrl'>
): SourceRequest {
  return {
    repository: 'moby/moby',
    ref,
    directory,
    workspace: '/',
    history: 'blobless',
    mirrors: [],
    direct: [],
    strict: false,
    proxies: {},
    retries: 0,
    environment: {PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1'},
    ...parts
  }
}

/** The source that `acquireSource` checks out, for tests that have no cache. */
export async function checkedOut(...parameters: Parameters<typeof acquireSource>): Promise<Source> {
  return (await acquireSource(...parameters)).source
}
