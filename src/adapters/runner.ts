import {appendFile, stat} from 'node:fs/promises'
import type {Ports} from '../run.js'
import {encodeState} from '../state.js'
import {stateName} from './entry.js'

// The runner refuses a larger one (actions/runner v2.336.0, src/Runner.Worker/FileCommandManager.cs).
const summaryLimitBytes = 1024 * 1024
const cutNotice = '> [!WARNING]\n> This summary was cut: GitHub shows at most 1 MiB of it. The log has everything.\n\n'

/**
 * What a step leaves for later steps (outputs) and for its post phase (state, of which the last counts), by way of
 * @actions/core. That is loaded here and not before, because it brings an HTTP client along.
 */
export async function stepOutlets(): Promise<Pick<Ports, 'saveState' | 'writeOutputs'>> {
  const core = await import('@actions/core')
  return {
    saveState(state) {
      core.saveState(stateName, encodeState(state))
    },
    writeOutputs(outputs) {
      for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value)
    }
  }
}

/**
 * Adds `markdown` to the step's summary; nothing happens outside a runner. What goes beyond GitHub's 1 MiB is cut at the
 * end of a line, under a notice that says so.
 */
export async function appendSummary(markdown: string): Promise<void> {
  const path = process.env.GITHUB_STEP_SUMMARY ?? ''
  if (path === '') return
  const used = await stat(path).then(
    status => status.size,
    () => 0
  )
  await appendFile(path, fitSummary(`${markdown}\n`, summaryLimitBytes - used))
}

function fitSummary(markdown: string, limitBytes: number): string {
  const bytes = Buffer.from(markdown)
  if (bytes.length <= limitBytes) return markdown
  const room = limitBytes - Buffer.byteLength(cutNotice)
  // A newline is one byte and never part of another character.
  const end = room < 1 ? -1 : bytes.lastIndexOf(0x0a, room - 1)
  return end === -1 ? '' : `${cutNotice}${bytes.toString('utf8', 0, end + 1)}`
}
