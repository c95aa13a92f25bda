/** A remark on the run's page. */
export interface Annotation {
  readonly level: 'notice' | 'warning' | 'error'
  readonly message: string
  readonly title?: string
}

/** What the runner makes of the lines that a step prints: commands are obeyed, everything else is the log. */
export interface StepOutput {
  /** Takes a line as printed; returns what the log then shows, masked, or undefined when that is nothing. */
  take(line: string): string | undefined
  readonly annotations: readonly Annotation[]
  readonly masks: ReadonlySet<string>
  /** From the deprecated commands, which still work. */
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
}

/**
 * Follows actions/runner v2.336.0, src/Runner.Worker/ActionCommandManager.cs. `masks` holds for all steps of a job: what
 * one step masks stays masked. Debug messages are shown with `##[debug]` in front, as if debugging were switched on.
 */
export function stepOutput(masks: Set<string>): StepOutput {
  const annotations: Annotation[] = []
  const outputs: Record<string, string> = {}
  const state: Record<string, string> = {}
  let resumeWith: string | undefined

  function masked(text: string): string {
    const longestFirst = [...masks].sort((one, other) => other.length - one.length)
    return longestFirst.reduce((result, mask) => result.replaceAll(mask, '***'), text)
  }

  function obey(name: string, properties: Readonly<Record<string, string>>, data: string): string | undefined {
    switch (name) {
      case 'notice':
      case 'warning':
      case 'error': {
        const {title} = properties
        annotations.push({level: name, message: masked(data), ...(title === undefined ? {} : {title: masked(title)})})
        return `##[${name}]${data}`
      }
      case 'debug':
      case 'group':
        return `##[${name}]${data}`
      case 'endgroup':
        return '##[endgroup]'
      case 'add-mask':
        for (const mask of [data, ...data.split(/\r?\n/)]) if (mask.trim() !== '') masks.add(mask)
        return undefined
      case 'set-output':
        outputs[properties.name ?? ''] = data
        return undefined
      case 'save-state':
        state[properties.name ?? ''] = data
        return undefined
      case 'stop-commands':
        resumeWith = data
        return undefined
      case 'set-env':
      case 'add-path':
        annotations.push({level: 'error', message: `The \`${name}\` command is disabled.`})
        return undefined
      case 'add-matcher':
      case 'remove-matcher':
      case 'echo':
        return undefined
      default:
        return `::${name}::${data}`
    }
  }

  return {
    annotations,
    masks,
    outputs,
    state,
    take(line) {
      const command = /^\s*::([^\s:]+)(?: (.*?))?::(.*)$/s.exec(line)
      const [, name = '', properties = '', data = ''] = command ?? []
      if (resumeWith !== undefined) {
        if (name !== resumeWith) return masked(line)
        resumeWith = undefined
        return undefined
      }
      const shown = command === null ? line : obey(name, parseProperties(properties), unescapeData(data))
      return shown === undefined ? undefined : masked(shown)
    }
  }
}

function parseProperties(text: string): Record<string, string> {
  const pairs = text.split(',').map(pair => pair.split('=', 2))
  return Object.fromEntries(
    pairs.map(([name = '', value = '']) => [
      name.trim(),
      unescapeData(value.replaceAll('%3A', ':').replaceAll('%2C', ','))
    ])
  )
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
}
