import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, mkdtemp} from 'node:fs/promises'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {type ActionDefinition, type InputValue, inputVariables, isPostDue, readAction} from './runner-action.js'
import {type Annotation, type StepOutput, stepOutput} from './runner-commands.js'
import {type FileCommands, makeFileCommands} from './runner-files.js'

export interface ActionRun {
  /** Path of the action.yml. */
  readonly action: string
  /** An existing directory; each run gets a directory of its own below it. Whoever made it removes it. */
  readonly root: string
  /** The node program; this one when absent. */
  readonly node?: string
  readonly with?: Readonly<Record<string, InputValue>>
  /** Beyond PATH, HOME and what the runner sets; wins over both. */
  readonly environment?: Readonly<Record<string, string>>
  /** Values of the expressions in input defaults; `github.token` is a made-up one when absent. */
  readonly contexts?: Readonly<Record<string, string>>
  /** Put into the workspace before the main phase. */
  readonly prepare?: (workspace: string) => Promise<void>
  /** Cancels the job after the first log line of the main phase that contains or matches this, or when it has resolved. */
  readonly cancelAt?: string | RegExp | Promise<void>
}

export interface PhaseResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly conclusion: 'success' | 'failure' | 'cancelled'
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  readonly annotations: readonly Annotation[]
  /** As people see it on GitHub: masked, commands rendered. */
  readonly log: string
  /** Exactly what the process printed, commands and secrets included. */
  readonly printed: string
  /** Malformed files of the runner, which make a step fail. */
  readonly problems: readonly string[]
}

export interface ActionResult {
  readonly main: PhaseResult
  /** Absent when the action has no post phase or its condition kept it from running. */
  readonly post?: PhaseResult
  /** Everything that was masked in either phase. */
  readonly masks: ReadonlySet<string>
  readonly workspace: string
  readonly temporaryDirectory: string
}

/** The runner's patience with a cancelled step: interrupt, then terminate, then kill (ProcessInvoker.cs@v2.336.0). */
const cancellation = [
  {signal: 'SIGINT', after: 0},
  {signal: 'SIGTERM', after: 7500},
  {signal: 'SIGKILL', after: 10_000}
] as const

interface Job {
  readonly workspace: string
  readonly temporaryDirectory: string
  readonly environment: Readonly<Record<string, string>>
  readonly masks: Set<string>
  readonly node: string
}

/** Runs a JavaScript action's main phase, then its post phase, as GitHub's runner does. */
export async function runAction(run: ActionRun): Promise<ActionResult> {
  const action = await readAction(run.action)
  const job = await makeJob(run)
  await run.prepare?.(job.workspace)
  const inputs = inputsOf(action, run)
  const main = await runPhase(job, action.main, inputs, run.cancelAt)
  const {workspace, temporaryDirectory, masks} = job
  const done = {main: main.result, masks, workspace, temporaryDirectory}
  if (action.post === undefined || !isPostDue(action.postIf, main.result.conclusion)) return done

  const state = Object.entries(main.result.state).map(([name, value]) => [`STATE_${name}`, value] as const)
  const path = [...main.files.path, job.environment.PATH ?? ''].join(':')
  const later = {...job, environment: {...job.environment, ...main.files.environment, PATH: path}}
  const variables = {...inputs.variables, ...Object.fromEntries(state)}
  const post = await runPhase(later, action.post, {variables, warnings: []}, undefined)
  return {...done, post: post.result}
}

async function makeJob(run: ActionRun): Promise<Job> {
  const directory = await mkdtemp(join(run.root, 'job-'))
  const workspace = join(directory, 'repository', 'repository')
  const temporaryDirectory = join(directory, '_temp')
  const tools = join(directory, '_tool')
  for (const path of [workspace, temporaryDirectory, tools]) await mkdir(path, {recursive: true})
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_JOB: 'build',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'octo/repository',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '1001',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_WORKSPACE: workspace,
    RUNNER_ARCH: 'X64',
    RUNNER_NAME: 'harness',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: temporaryDirectory,
    RUNNER_TOOL_CACHE: tools,
    ...run.environment
  }
  return {workspace, temporaryDirectory, environment, masks: new Set(), node: run.node ?? process.execPath}
}

interface Inputs {
  readonly variables: Readonly<Record<string, string>>
  readonly warnings: readonly Annotation[]
}

function inputsOf(action: ActionDefinition, run: ActionRun): Inputs {
  const contexts = {'github.token': 'harness-token', ...run.contexts}
  const {variables, unexpected} = inputVariables(action, run.with ?? {}, contexts)
  const valid = Object.keys(action.inputs).map(name => `'${name}'`)
  return {
    variables,
    warnings: unexpected.map(name => ({
      level: 'warning',
      message: `Unexpected input(s) '${name}', valid inputs are [${valid.join(', ')}]`
    }))
  }
}

async function runPhase(
  job: Job,
  program: string,
  inputs: Inputs,
  cancelAt: ActionRun['cancelAt']
): Promise<{result: PhaseResult; files: FileCommands}> {
  const fileCommands = await makeFileCommands(job.temporaryDirectory)
  const output = stepOutput(job.masks)
  const {cancelled, ...ended} = await runProcess(
    job,
    program,
    {...inputs.variables, ...fileCommands.variables},
    output,
    cancelAt
  )
  const files = await fileCommands.read()
  const failed = ended.exitCode !== 0 || files.problems.length > 0
  const result: PhaseResult = {
    ...ended,
    conclusion: cancelled ? 'cancelled' : failed ? 'failure' : 'success',
    outputs: {...output.outputs, ...files.outputs},
    state: {...output.state, ...files.state},
    summary: files.summary,
    annotations: [...inputs.warnings, ...output.annotations],
    problems: files.problems
  }
  return {result, files}
}

async function runProcess(
  job: Job,
  program: string,
  variables: Readonly<Record<string, string>>,
  output: StepOutput,
  cancelAt: ActionRun['cancelAt']
): Promise<{exitCode: number | undefined; cancelled: boolean; log: string; printed: string}> {
  const child = spawn(job.node, [program], {
    cwd: job.workspace,
    env: {...job.environment, ...variables},
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const log: string[] = []
  const printed: string[] = []
  const timers: NodeJS.Timeout[] = []
  const cancel = () => {
    for (const {signal, after} of cancellation) timers.push(setTimeout(() => child.kill(signal), after))
  }
  const isTime = (shown: string) =>
    cancelAt instanceof RegExp ? cancelAt.test(shown) : typeof cancelAt === 'string' && shown.includes(cancelAt)
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({input: stream, crlfDelay: Infinity}).on('line', line => {
      printed.push(line)
      const shown = output.take(line)
      if (shown === undefined) return
      log.push(shown)
      if (timers.length === 0 && isTime(shown)) cancel()
    })
  }
  if (cancelAt instanceof Promise) void cancelAt.then(cancel)
  const [exitCode] = (await once(child, 'close')) as [number | null]
  for (const timer of timers) clearTimeout(timer)
  return {
    exitCode: exitCode ?? undefined,
    cancelled: timers.length > 0,
    log: log.join('\n'),
    printed: printed.join('\n')
  }
}
