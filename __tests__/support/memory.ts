import type {CacheStore, CommandOptions, CommandResult, Commands, FileKind, Files, Log} from '../../src/ports.js'

/** A log that keeps its lines: `info: text`, `group: name`. */
export interface MemoryLog extends Log {
  readonly lines: readonly string[]
}

export function memoryLog(): MemoryLog {
  const lines: string[] = []
  const keep = (level: string) => (message: string) => {
    lines.push(`${level}: ${message}`)
  }
  return {
    lines,
    debug: keep('debug'),
    info: keep('info'),
    notice: keep('notice'),
    warning: keep('warning'),
    error: keep('error'),
    startGroup: keep('group'),
    endGroup: () => {
      lines.push('end')
    },
    mask: keep('mask')
  }
}

/** What a program answers: its output lines, or all of a result. */
export type Answer = Partial<CommandResult> | undefined

/** One program that was run. */
export interface RanCommand {
  readonly argv: readonly string[]
  readonly options: CommandOptions
}

export interface MemoryCommands extends Commands {
  readonly ran: readonly RanCommand[]
}

/** Commands that `answer` knows the results of; a program it does not know does not exist. */
export function memoryCommands(answer: (command: string) => Answer | Promise<Answer>): MemoryCommands {
  const ran: RanCommand[] = []
  const run = async (argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> => {
    ran.push({argv, options})
    const known = await answer(argv.join(' '))
    if (known === undefined) return {exitCode: 127, stdout: '', stderr: `${argv[0] ?? ''}: not found`}
    return {exitCode: 0, stdout: '', stderr: '', ...known}
  }
  return {
    ran,
    capture: run,
    async stream(argv, options) {
      const {exitCode, stdout, stderr} = await run(argv, options)
      for (const [text, stream] of [
        [stdout, 'stdout'],
        [stderr, 'stderr']
      ] as const)
        for (const line of text.split('\n').filter(part => part !== '')) options.onLine(line, stream)
      return exitCode
    }
  }
}

export interface MemoryFiles extends Files {
  /** Texts by path. */
  readonly texts: Map<string, string>
  readonly modes: Map<string, number>
  /** Targets of links by path. */
  readonly links: Map<string, string>
}

/** Files as a map; directories exist as far as they hold something or were made. */
export function memoryFiles(initial: Readonly<Record<string, string>> = {}): MemoryFiles {
  const texts = new Map(Object.entries(initial))
  const modes = new Map<string, number>()
  const links = new Map<string, string>()
  const directories = new Set<string>()
  const below = (path: string) => [...texts.keys()].filter(other => other.startsWith(`${path}/`))
  const text = (path: string) => {
    const found = texts.get(path)
    if (found === undefined) throw new Error(`no such file: ${path}`)
    return found
  }
  const remove = (path: string) => {
    for (const other of [path, ...below(path)]) texts.delete(other)
    directories.delete(path)
    return Promise.resolve()
  }
  return {
    texts,
    modes,
    links,
    readText: path => Promise.resolve(texts.get(path)),
    async *readBytes(path) {
      yield await Promise.resolve(Buffer.from(text(path)))
    },
    async write(path, content, mode = 0o644) {
      if (typeof content !== 'string') throw new Error('these files are texts')
      texts.set(path, content)
      modes.set(path, mode)
      await Promise.resolve()
    },
    kind: path => {
      const isDirectory = directories.has(path) || below(path).length > 0
      const kind: FileKind | undefined = texts.has(path) ? 'file' : isDirectory ? 'directory' : undefined
      return Promise.resolve(kind)
    },
    list: path =>
      Promise.resolve([...new Set(below(path).map(other => other.slice(path.length + 1).split('/')[0] ?? ''))].sort()),
    status: path => Promise.resolve({size: text(path).length, mode: modes.get(path) ?? 0o644}),
    resolveLinks: path => Promise.resolve(path),
    copyFile: (from, to) => {
      texts.set(to, text(from))
      return Promise.resolve()
    },
    makeDirectory: path => {
      directories.add(path)
      return Promise.resolve()
    },
    link: (target, path) => {
      if (links.has(path)) return Promise.reject(new Error(`EEXIST: ${path}`))
      links.set(path, target)
      return Promise.resolve()
    },
    makeTemporaryDirectory: prefix => Promise.resolve(`/tmp/${prefix}1`),
    replace: async (from, to) => {
      await remove(to)
      texts.set(to, text(from))
      texts.delete(from)
    },
    remove
  }
}

export interface MemoryCache extends CacheStore {
  /** Keys of what was kept, and the directories they were saved from. */
  readonly entries: Map<string, string>
}

/** A cache of keys alone. */
export function memoryCache(...keys: readonly string[]): MemoryCache {
  const entries = new Map(keys.map(key => [key, '']))
  const find = (key: string, prefixes: readonly string[]) => {
    const known = [...entries.keys()].reverse()
    return entries.has(key) ? key : prefixes.flatMap(prefix => known.filter(other => other.startsWith(prefix)))[0]
  }
  return {
    entries,
    location: 'the memory',
    accepts: () => true,
    find: (key, prefixes) => Promise.resolve(find(key, prefixes)),
    restore: (_directory, key, prefixes) => {
      const found = find(key, prefixes)
      return Promise.resolve(found === undefined ? undefined : {key: found})
    },
    save: (directory, key) => {
      if (!entries.has(key)) entries.set(key, directory)
      return Promise.resolve({key})
    }
  }
}
