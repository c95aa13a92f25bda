import {posix} from 'node:path'
import type {ShellCommand} from './shell.js'
import {unknown} from './shell-words.js'
import type {Lookup} from './variables.js'

/** A program that a script may start. */
export interface ProgramCall {
  /** Without its directory. */
  readonly program: string
  readonly words: readonly string[]
  readonly variable: Lookup
  readonly directory: string
  readonly file: string
  readonly line: number
}

/** A script of the tree. */
export interface Script {
  readonly file: string
  readonly text: string
}

/** Where a script runs. */
export interface ScriptRun {
  readonly variables: ReadonlyMap<string, string>
  readonly directory: string
  /** File and line that its programs are reported with: those of the step. */
  readonly file: string
  readonly line: number
  /** The script of the tree that is at an absolute path. */
  readonly scriptAt: (path: string) => Script | undefined
  readonly onCall: (call: ProgramCall) => void
}

/** Where in a script one is. */
export interface Frame {
  readonly run: ScriptRun
  readonly variables: Map<string, string>
  readonly functions: Map<
    string,
    {readonly body: ShellCommand; readonly file: string; readonly step: number | undefined}
  >
  directory: string
  positional: readonly string[]
  /** `$0`. */
  readonly name: string
  readonly file: string
  /** The line of the step, while the script is the step's own text: its lines are not the file's. */
  readonly step: number | undefined
  /** The line of the command that one is at. */
  line: number
  /** The functions and files that one is in: none is gone into again. */
  readonly active: readonly string[]
}

/** A frame whose variables and directory nobody else sees. */
export function inner(frame: Frame): Frame {
  const {variables, functions} = frame
  return {...frame, variables: new Map(variables), functions: new Map(functions)}
}

/** An absolute path, or `unknown`. */
export function inDirectory(directory: string, path: string): string {
  if (path.startsWith('/')) return posix.normalize(path)
  return directory.includes(unknown) || path.includes(unknown) ? unknown : posix.join(directory, path)
}
