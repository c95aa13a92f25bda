import {appendFile, stat} from 'node:fs/promises'
import * as core from '@actions/core'

// One document under one name: what the main phase leaves for the post phase.
const stateName = 'state'

// The runner refuses a larger one (actions/runner v2.336.0, src/Runner.Worker/FileCommandManager.cs).
const summaryLimitBytes = 1024 * 1024
const cutNotice = '> [!WARNING]\n> This summary was cut: GitHub shows at most 1 MiB of it. The log has everything.\n\n'

/** Sets outputs of the step by name. */
export function writeOutputs(outputs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value)
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

/** Keeps `text` for the post phase; a later call replaces it. */
export function saveState(text: string): void {
  core.saveState(stateName, text)
}

/** What the main phase kept last, or undefined when it kept nothing. */
export function readState(): string | undefined {
  const text = core.getState(stateName)
  return text === '' ? undefined : text
}

function fitSummary(markdown: string, limitBytes: number): string {
  const bytes = Buffer.from(markdown)
  if (bytes.length <= limitBytes) return markdown
  const room = limitBytes - Buffer.byteLength(cutNotice)
  // A newline is one byte and never part of another character.
  const end = room < 1 ? -1 : bytes.lastIndexOf(0x0a, room - 1)
  return end === -1 ? '' : `${cutNotice}${bytes.toString('utf8', 0, end + 1)}`
}
