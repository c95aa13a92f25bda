import {randomBytes} from 'node:crypto'
import {join} from 'node:path'
import type {GitObjects} from './cache/git-objects.js'
import {acquireComponents, type CheckoutNetwork} from './components.js'
import {dockerEnvironment} from './engine/environment.js'
import {surveyEngine} from './engine/survey-engine.js'
import {planReuse} from './cache/reuse.js'
import type {Inputs} from './inputs.js'
import {readCertificates} from './network/certificates.js'
import {surveyImageDigests} from './network/image-digests.js'
import {parseImageReference, type ImageReference} from './network/images.js'
import type {Network} from './network/network.js'
import {givenProxies} from './network/step-proxies.js'
import {surveyChecksumDatabase} from './network/survey-checksum-database.js'
import {surveyMirrors} from './network/survey-mirrors.js'
import {surveyNetwork} from './network/survey-network.js'
import {secretsIn} from './network/url.js'
import {downloadsOf, takeInventory, type InventoriedComponent} from './plan/inventory.js'
import {makePlan} from './plan/make-plan.js'
import type {Plan} from './plan/plan.js'
import type {Files, Prober, Trust} from './ports.js'
import {syntaxImage} from './recipes/frontend.js'
import type {SourcePorts} from './source/source.js'

export type DecisionPorts = SourcePorts & {
  readonly prober: Prober
  readonly trust: Trust
  readonly identify: () => Promise<string>
}

/** What a run will do, and the network it does it in: the part that may hold credentials. */
export interface Decision {
  readonly plan: Plan
  readonly network: Network
  /** File with all certificate authorities to trust, when there are any of the user's. */
  readonly certificateFile?: string
  /** What `saveGitObjects` needs once the run has come to an end. */
  readonly gitObjects: readonly GitObjects[]
}

/**
 * From the inputs to a plan: asks the engine and the mirrors, checks out the trees, looks through them for what they
 * download, and decides.
 *
 * @throws ConfigurationError, StepError as its parts do.
 */
export async function decide(
  inputs: Inputs,
  place: {readonly workspace: string; readonly environment: Readonly<Record<string, string | undefined>>},
  ports: DecisionPorts,
  workDirectory: string
): Promise<Decision> {
  const {prober, log, clock} = ports
  const {proxies, direct} = inputs
  // The cheap questions first: they fail in seconds, a checkout takes minutes.
  const trusted = await trustCertificates(inputs, place.workspace, workDirectory, ports)
  const {certificates, certificateFile} = trusted
  const settings = {proxies, direct, ...(certificates === undefined ? {} : {certificates})}
  const engine = await surveyEngine(inputs.builder, ports, dockerEnvironment(place.environment))
  for (const secret of [engine.clientProxies.http, engine.clientProxies.https].flatMap(proxy =>
    secretsIn(proxy ?? '')
  )) {
    log.mask(secret)
  }
  const registryMirrors = await surveyMirrors(inputs.registryMirrors, settings, {prober, log})
  const {cache, ...uncached} = ports
  const sourcePorts = inputs.cache === 'full' && cache !== undefined ? {...uncached, cache} : uncached
  const {components, gitMirrors, gitObjects} = await acquireComponents(
    inputs,
    {...trusted, registryMirrors},
    place,
    sourcePorts
  )
  const checkedOut = clock()
  const inventoried = components.map(component => takeInventory(component, inputs, engine))
  const {aptMirrors, apkMirrors, downloadMirrors} = inputs
  const candidates = {aptMirrors, apkMirrors, gitMirrors, downloadMirrors}
  // What these answer is for build steps, nearly all of it.
  const stepSettings = {...settings, proxies: givenProxies({proxies, clientProxies: engine.clientProxies})}
  const downloads = downloadsOf(inventoried)
  const routed = {...settings, registryMirrors, strict: inputs.strict}
  const wantsDigests = inputs.cache !== 'off' || inputs.reuse
  const [goSumdb, mirrors, imageDigests] = await Promise.all([
    downloads.some(({kind}) => kind === 'sumdb')
      ? surveyChecksumDatabase(inputs, stepSettings, prober)
      : inputs.goSumdb,
    surveyNetwork(candidates, downloads, stepSettings, {prober, log}),
    surveyImageDigests(wantsDigests ? inventoried.flatMap(imagesOf) : [], routed, ports)
  ])
  const network: Network = {
    ...mirrors,
    ...routed,
    clientProxies: engine.clientProxies,
    ...(inputs.goProxy === undefined ? {} : {goProxy: inputs.goProxy}),
    ...(goSumdb === undefined ? {} : {goSumdb}),
    ...(inputs.pipIndex === undefined ? {} : {pipIndex: inputs.pipIndex}),
    ...(inputs.gemSource === undefined ? {} : {gemSource: inputs.gemSource})
  }
  const unique = randomBytes(4).toString('hex')
  const facts = {components: inventoried, engine, network, imageDigests, workDirectory, unique, place}
  const planned = makePlan(inputs, facts)
  const plan = inputs.reuse
    ? {...planned, reuse: planReuse(inputs, planned, {...facts, program: await ports.identify()})}
    : planned
  log.info(`Planned in ${Math.round(clock() - checkedOut)} ms after the checkout.`)
  return {plan, network, gitObjects, ...(certificateFile === undefined ? {} : {certificateFile})}
}

/** What a build starts from and copies from, and the frontend that reads its Dockerfile. */
function imagesOf({treeBuild, sources, mirrorHasFrontend}: InventoriedComponent): ImageReference[] {
  const syntax = mirrorHasFrontend === false ? undefined : syntaxImage(treeBuild.dockerfile)
  return [...sources.images.map(({image}) => image), ...(syntax === undefined ? [] : [parseImageReference(syntax)])]
}

async function trustCertificates(
  {certificates: given}: Inputs,
  workspace: string,
  workDirectory: string,
  {files, trust}: {readonly files: Files; readonly trust: Trust}
): Promise<Pick<CheckoutNetwork, 'certificates' | 'certificateFile'>> {
  if (given === undefined) return {}
  const certificates = await readCertificates(given, workspace, files)
  const certificateFile = join(workDirectory, 'certificates.pem')
  await files.write(certificateFile, await trust.add(certificates))
  return {certificates, certificateFile}
}
