import {mkdtempSync, rmSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {engineObstacle} from '../sandbox/engine.js'
import {builderKinds} from './bench/builder-kinds.js'
import {measureCases} from './bench/cases.js'
import {withFreshEngine} from './bench/fresh-engine.js'
import {growthReport} from './bench/growth.js'
import {machineText} from './bench/machine.js'
import {planTimesReport} from './bench/plan-times.js'
import {casesReport} from './bench/report.js'
import {startUpReport} from './bench/start-up.js'
import {miniatureWorld, mobyWorld} from './bench/world.js'

/**
 * `npm run bench [start] [plans] [builds] [growth]`: the figures of docs/performance.md, which says what they are and which
 * variables there are. All but `plans` by default. Markdown goes to standard output, progress to standard error.
 */
const root = join(import.meta.dirname, '..')
const {env: environment} = process
const asked = process.argv.slice(2)
const parts = asked.length > 0 ? asked : ['start', 'builds', 'growth']
const node = environment.BUILD_MOBY_NODE24 ?? process.execPath
const actionFile = resolve(environment.BENCH_ACTION ?? join(root, 'action.yml'))
const builder = builderKinds.find(kind => kind === (environment.BUILDER_KIND ?? 'docker'))
if (builder === undefined) throw new Error(`BUILDER_KIND is one of ${builderKinds.join(', ')}`)

const log = (line: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
const print = (title: string, text: string) => process.stdout.write(`## ${title}\n\n${text}\n\n`)

if (parts.includes('start')) print('Start-up', await startUpReport(join(dirname(actionFile), 'dist'), node))
if (parts.includes('plans')) print('Plans', await planTimesReport(environment.MOBY ?? 'moby/moby', root, node))
if (parts.includes('builds') || parts.includes('growth')) {
  const obstacle = await engineObstacle()
  if (obstacle === undefined) await benchBuilds()
  else log(`Builds are not measured: ${obstacle}`)
}

async function benchBuilds(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'build-moby-bench-'))
  // Everything temporary goes there, and with it, however this process ends.
  environment.TMPDIR = directory
  process.once('exit', () => {
    rmSync(directory, {recursive: true, force: true, maxRetries: 3})
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const) {
    process.once(signal, () => process.exit(code))
  }
  const logs = resolve(environment.BENCH_LOGS ?? join(directory, 'logs'))
  const action = {file: actionFile, node, logs}
  const {MOBY: repository} = environment
  const world = repository === undefined ? await miniatureWorld() : mobyWorld(repository, environment, actionFile)
  try {
    const kind = builder ?? 'docker'
    const machine = await withFreshEngine(world, kind, engine => machineText(node, engine.environment))
    print('Machine', `${machine}\nBuilder: ${kind}. Built: ${world.name}, ${[world.from, ...world.later].join(', ')}.`)
    if (parts.includes('builds')) {
      const rounds = Number(environment.RUNS ?? (repository === undefined ? 3 : 1))
      const arms = new RegExp(environment.ARMS ?? '')
      const results = await measureCases({world, builder: kind, action, rounds, root: directory, arms, log})
      print(`Builds, ${rounds} of each, seconds`, casesReport(results, world.later))
    }
    if (parts.includes('growth')) {
      const nights = Number(environment.NIGHTS ?? 30)
      const cache = join(directory, 'growth')
      await mkdir(cache)
      print('Growth', await growthReport({world, builder: kind, action, nights, cache, log}))
    }
  } finally {
    await world.stop()
  }
}
