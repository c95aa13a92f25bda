import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import type {BuildProgress} from '../../../src/build/progress.js'
import {diagnose, type Diagnosis} from '../../../src/diagnosis/diagnose.js'
import {failureKinds, type FailureKind} from '../../../src/diagnosis/failure-kind.js'
import {programs} from '../../../src/diagnosis/signs.js'
import {endpointsBy, networkBy, type RouteName} from './endpoints.js'

/** What a program really printed, as BuildKit handed it on, and what is to be made of it. */
interface Failure {
  /** With its version. */
  readonly tool: string
  readonly provoked: string
  /** What of the text is not as it was printed. */
  readonly replaced?: string
  readonly expected: {
    readonly kind: FailureKind
    /** What was being fetched, where the text or the step says so. */
    readonly url?: string
    /** The input that the advice names. */
    readonly input?: string
  }
  /** How everything was reached. */
  readonly route: RouteName
  readonly strict: boolean
  /** Of the failed step; absent where buildx alone reported. */
  readonly step?: string
  readonly message?: string
  readonly output?: readonly string[]
  readonly messages?: readonly string[]
}

const directory = join(import.meta.dirname, '../../fixtures/failures')
const failures = readdirSync(directory).map(name => ({
  name: name.replace('.json', ''),
  failure: JSON.parse(readFileSync(join(directory, name), 'utf8')) as Failure
}))

function progressOf({step, message, output, messages = []}: Failure): BuildProgress {
  if (step === undefined || message === undefined || output === undefined) return {steps: [], messages}
  return {steps: [], messages, failure: {step, message, output, withoutNetwork: false}}
}

function read(failure: Failure): Diagnosis {
  return diagnose(progressOf(failure), {
    endpoints: endpointsBy(failure.route),
    network: networkBy(failure.route, failure.strict)
  })
}

describe('a captured failure', () => {
  it.each(failures)('$name is known for what it is', ({failure}) => {
    const {kind, url, advice} = read(failure)
    const [, input] = /`([a-z-]+)(?:: [^`]+)`/.exec(advice ?? '') ?? []
    expect({kind, url, input}).toEqual({url: undefined, input: undefined, ...failure.expected})
  })

  it.each(failures)('$name is quoted by its own words', ({failure}) => {
    const {cause} = read(failure)
    const said = [...(failure.output ?? []), failure.message ?? '', ...(failure.messages ?? [])].join('\n')
    for (const line of cause.split('\n')) expect(`the process ${said}`).toContain(line.replace(/^the process /, ''))
  })

  it('is behind every sign', () => {
    const lines = failures.flatMap(({failure: {output = [], message = '', messages = []}}) =>
      [...output, message, ...messages].flatMap(text => text.split('\n'))
    )
    const signs = new Map(programs.flatMap(({name, signs}) => signs.map(sign => [sign, name] as const)))
    const unseen = [...signs].filter(([{says}]) => !lines.some(line => says.test(line)))
    expect(unseen.map(([{says}, name]) => `${name}: ${says.source}`)).toEqual([])
  })

  it('is behind every sign of success', () => {
    const output = failures
      .filter(({name}) => name.startsWith('ordinary-'))
      .flatMap(({failure}) => failure.output ?? [])
    const unseen = programs.filter(({succeeds}) => succeeds !== undefined && !output.some(line => succeeds.test(line)))
    expect(unseen.map(({name}) => name)).toEqual([])
  })

  it('has an example for every kind', () => {
    const kinds = failures.map(({failure}) => failure.expected.kind)
    expect(failureKinds.filter(kind => !kinds.includes(kind))).toEqual([])
  })
})
