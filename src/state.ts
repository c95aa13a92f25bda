import type {Commands, Files, Log} from './ports.js'
import {describeError} from './errors.js'

/** What a run has made on the machine and has to remove again. */
export interface SavedState {
  /** A builder that was created for the run. */
  readonly builder?: string
  /** The directory of files, exports and caches. */
  readonly workDirectory?: string
}

/** The state as the one text that is handed from the main to the post phase. */
export function encodeState(state: SavedState): string {
  return JSON.stringify(state)
}

/** Reads `encodeState`'s text; anything else means that there is nothing to remove. */
export function decodeState(text: string | undefined): SavedState {
  try {
    const parsed: unknown = JSON.parse(text ?? '')
    if (typeof parsed !== 'object' || parsed === null) return {}
    const {builder, workDirectory} = parsed as Record<string, unknown>
    return {
      ...(typeof builder === 'string' ? {builder} : {}),
      ...(typeof workDirectory === 'string' ? {workDirectory} : {})
    }
  } catch {
    return {}
  }
}

/** Removes what the state names. Each part is tried on its own; what cannot be removed is a warning, never an error. */
export async function cleanUp(
  {builder, workDirectory}: SavedState,
  {commands, files, log}: {readonly commands: Commands; readonly files: Files; readonly log: Log},
  environment: Readonly<Record<string, string>>
): Promise<void> {
  if (builder !== undefined) {
    const removed = await commands.capture(['docker', 'buildx', 'rm', '--force', builder], {environment})
    // Already gone is as good: main removes it too, unless it was killed.
    if (removed.exitCode !== 0 && !/no builder|not found/i.test(removed.stderr)) {
      log.warning(
        `The builder '${builder}' could not be removed: ${removed.stderr.trim()}. Remove it with \`docker buildx rm ${builder}\`.`
      )
    }
  }
  if (workDirectory !== undefined) {
    try {
      await files.remove(workDirectory)
    } catch (error) {
      log.warning(`${workDirectory} could not be removed: ${describeError(error)}`)
    }
  }
}
