import type {Log, Prober} from '../ports.js'
import {asker, askingTwice, type AskSettings} from './ask.js'
import type {Endpoint} from './endpoint.js'
import {isGood} from './finding.js'
import type {DirectPermissions, Network, PrefixRule} from './network.js'
import {mirroredUrl, ruleFor} from './prefix-rules.js'
import {probe, type ProbeContext} from './probe.js'

const probeTimeoutMilliseconds = 10_000

export interface MirrorCandidates {
  readonly aptMirrors: readonly string[]
  readonly apkMirrors: readonly string[]
  readonly gitMirrors: readonly PrefixRule[]
  readonly downloadMirrors: readonly PrefixRule[]
}

/**
 * Chooses among the mirrors, once it is known what the build asks of them: of several apt, apk, git or download mirrors
 * for one upstream the first that answers for all of that. One that does not is skipped with a warning, which says what
 * it answered and which input names it. The direct way, where it is permitted, is the last candidate. Where nobody
 * answers, the first mirror stays: it may still be within reach of the builder. An only candidate is not asked.
 */
export async function surveyNetwork(
  {aptMirrors, apkMirrors, gitMirrors, downloadMirrors}: MirrorCandidates,
  endpoints: readonly Endpoint[],
  settings: AskSettings & {readonly direct: DirectPermissions},
  {prober, log}: {readonly prober: Prober; readonly log: Log}
): Promise<Pick<Network, 'aptMirror' | 'apkMirror' | 'gitMirrors' | 'downloadMirrors'>> {
  const {proxies, direct} = settings
  const ask = askingTwice(asker(prober, settings, () => probeTimeoutMilliseconds))
  const images = endpoints.filter(({kind}) => kind === 'image').map(({what}) => what)
  const context: ProbeContext = {ask, network: {registryMirrors: [], proxies}, images}
  const survey: Survey = {endpoints, context, log}
  const apt = await packageMirror('apt', aptMirrors, direct.apt, survey)
  const apk = await packageMirror('apk', apkMirrors, direct.apk, survey)
  return {
    gitMirrors: await rulesThatAnswer('git', gitMirrors, direct.git, survey),
    downloadMirrors: await rulesThatAnswer('http', downloadMirrors, direct.downloads, survey),
    ...(apt === undefined ? {} : {aptMirror: apt}),
    ...(apk === undefined ? {} : {apkMirror: apk})
  }
}

interface Survey {
  readonly endpoints: readonly Endpoint[]
  readonly context: ProbeContext
  readonly log: Log
}

type SurveyedKind = 'apt' | 'apk' | 'git' | 'http'

const inputs: Readonly<Record<SurveyedKind, string>> = {
  apt: 'apt-mirror',
  apk: 'apk-mirror',
  git: 'git-mirrors',
  http: 'download-mirrors'
}

async function packageMirror(
  kind: 'apt' | 'apk',
  mirrors: readonly string[],
  direct: boolean,
  survey: Survey
): Promise<string | undefined> {
  const asked = survey.endpoints.filter(endpoint => endpoint.kind === kind)
  const candidates = mirrors.map(mirror => ({
    mirror,
    targets: asked.map(({what, fetcher}) => ({url: what.replace(/^https?:\/\/[^/]+/, mirror), fetcher}))
  }))
  const upstream = kind === 'apt' ? 'the Debian and Ubuntu archives' : "Alpine's packages"
  const chosen = await choose(kind, upstream, candidates, direct, survey)
  return chosen?.mirror
}

async function rulesThatAnswer(
  kind: 'git' | 'http',
  rules: readonly PrefixRule[],
  direct: readonly string[],
  survey: Survey
): Promise<readonly PrefixRule[]> {
  const chosen: PrefixRule[] = []
  for (const from of new Set(rules.map(rule => rule.from))) {
    // What a longer prefix covers does not come here.
    const asked = survey.endpoints.filter(
      endpoint => endpoint.kind === kind && ruleFor(endpoint.what, rules)?.from === from
    )
    const candidates = rules
      .filter(rule => rule.from === from)
      .map(rule => ({
        mirror: rule.to,
        rule,
        targets: asked.map(({what, fetcher}) => ({url: mirroredUrl(what, rule), fetcher}))
      }))
    const found = await choose(kind, from, candidates, direct.includes(from), survey)
    if (found !== undefined) chosen.push(found.rule)
  }
  return chosen.sort((one, other) => other.from.length - one.from.length)
}

interface Candidate {
  readonly mirror: string
  readonly targets: readonly {readonly url: string; readonly fetcher: Endpoint['fetcher']}[]
}

/** The first candidate that answers, undefined for the direct way. */
async function choose<Each extends Candidate>(
  kind: SurveyedKind,
  upstream: string,
  candidates: readonly Each[],
  direct: boolean,
  survey: Survey
): Promise<Each | undefined> {
  const [first, ...others] = candidates
  if (first === undefined || (others.length === 0 && !direct)) return first
  const failures = []
  for (const candidate of candidates) {
    const failure = await failureOf(kind, candidate, survey.context)
    if (failure === undefined) {
      for (const each of failures) survey.log.warning(`Skipped a mirror of ${upstream} from '${inputs[kind]}': ${each}`)
      return candidate
    }
    failures.push(`${candidate.mirror}: ${failure}`)
  }
  survey.log.warning(
    [
      `No mirror of ${upstream} from '${inputs[kind]}' or 'mirror-preset' answers for all that the build asks there, so it goes ${direct ? 'direct' : `to ${first.mirror}`}:`,
      ...failures.map(failure => `  - ${failure}`)
    ].join('\n')
  )
  return direct ? undefined : first
}

async function failureOf(kind: SurveyedKind, {targets}: Candidate, context: ProbeContext): Promise<string | undefined> {
  const findings = await Promise.all(
    targets.map(async ({url, fetcher}) => ({url, finding: await probe({kind, fetcher}, url, context)}))
  )
  const failed = findings.find(({finding}) => !isGood(finding))
  return failed === undefined ? undefined : `${failed.url}: ${failed.finding.detail}`
}
