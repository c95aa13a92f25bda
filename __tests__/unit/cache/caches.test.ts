import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, it} from '@jest/globals'
import type {CacheAccount} from '../../../src/cache/account.js'
import {restoreCaches, saveCaches, takeCaches, usedCaches, type RestoredCaches} from '../../../src/cache/caches.js'
import type {PlannedMounts} from '../../../src/cache/plan-mounts.js'
import type {SavingRule} from '../../../src/cache/saving.js'
import type {CacheStore} from '../../../src/ports.js'
import {memoryCache, memoryCommands, memoryFiles, memoryLog} from '../../support/memory.js'
import {buildOf, planWith} from '../../support/plan.js'

const account = (kind: CacheAccount['kind'], more: Partial<CacheAccount> = {}): CacheAccount => ({
  kind,
  of: 'daemon',
  exact: false,
  ...more
})
const older = {restored: {key: 'older'}}
const exact = {restored: {key: 'this'}, exact: true}

const plannedMounts: PlannedMounts = {
  ...{prefixes: ['family-'], keyPrefix: 'family-this-', left: [], image: 'golang', imagePlatform: 'linux/amd64'},
  ...{environment: {}, files: [], directory: '/mounts'},
  groups: [{mounts: [{id: 'go-build', kind: 'compiler', sharing: 'shared', owner: []}]}]
}

describe('restoreCaches', () => {
  it('fetches mounts while layers are fetched, and fills them afterwards', async () => {
    const events: string[] = []
    const files = {...memoryFiles(), replace: () => Promise.resolve()}
    const commands = memoryCommands(command => {
      if (command.includes(' buildx build ')) events.push('mounts filled')
      return {}
    })
    let fetched: () => void
    const mountsFetched = new Promise<void>(resolve => (fetched = resolve))
    const cache: CacheStore = {
      ...memoryCache('family-this-1'),
      restore: async (directory, key) => {
        if (key !== 'family-this-1') {
          await mountsFetched
          await delay(50)
          events.push('layers fetched')
          return undefined
        }
        const entry = {schema: 3, kind: 'mounts', archives: {}, mounts: {}}
        await files.write(`${directory}/entry.json`, JSON.stringify(entry))
        events.push('mounts fetched')
        fetched()
        return {key}
      }
    }
    const build = buildOf(planWith())
    const caches = {...build.caches, mounts: plannedMounts}
    const context = {builder: 'default', environment: {}, buildEnvironment: {}}
    const ports = {commands, files, log: memoryLog(), clock: () => 0, cache}
    const restored = await restoreCaches({...build, caches}, context, ports)
    expect(restored.layers).toEqual(account('layers'))
    expect(restored.mounts?.account.restored).toEqual({key: 'family-this-1'})
    expect(events).toEqual(['mounts fetched', 'layers fetched', 'mounts filled'])
  }, 5000)
})

describe('usedCaches', () => {
  const progress = (cached: boolean) => ({
    steps: [
      {name: 'docker-image://docker.io/docker/dockerfile:1', seconds: 1, cached: false},
      {name: '[build 1/1] RUN make', seconds: 1, cached}
    ],
    messages: []
  })

  it('believes an exact result as long as no step ran', () => {
    const restored = {result: account('result', exact)}
    expect(usedCaches(restored, {progress: progress(true), withoutLayers: false})).toEqual(restored)
    expect(usedCaches(restored, {progress: progress(false), withoutLayers: false})).toEqual({
      result: account('result', {note: 'not used by the builder'})
    })
  })

  it('takes what was damaged for missing, and nothing else', () => {
    const images = {directory: '/images', base: 'sha256:a', top: 'sha256:b'}
    const mounts = {account: account('mounts', older), images}
    const restored: RestoredCaches = {result: account('result'), layers: account('layers', exact), mounts}
    expect(usedCaches(restored, {progress: progress(false), withoutLayers: true})).toEqual({
      result: account('result'),
      layers: account('layers', {note: 'damaged, not used'}),
      // Images of these layers are damaged, too.
      mounts: {...mounts, images: undefined}
    })
    expect(usedCaches(restored, {progress: progress(false), withoutLayers: false})).toEqual(restored)
  })
})

describe('takeCaches', () => {
  async function taken(restored: RestoredCaches, rule: SavingRule) {
    const commands = memoryCommands(() => ({exitCode: 1}))
    const build = buildOf(planWith())
    const ports = {commands, files: memoryFiles({}), log: memoryLog(), clock: () => 0, cache: memoryCache()}
    const found = await takeCaches(
      {...build, caches: {...build.caches, mounts: plannedMounts}},
      restored,
      rule,
      {builder: 'default', environment: {}},
      ports
    )
    return {found, ran: commands.ran.map(({argv}) => argv[2])}
  }
  const mounts = {account: account('mounts', older)}

  it('looks at the mounts, and costs a warning when that fails', async () => {
    const {found, ran} = await taken({mounts}, {what: 'all'})
    expect(found).toEqual({account: {...mounts.account, note: 'not saved'}})
    expect(ran).toEqual(['du', 'build', 'du'])
  })

  it.each([
    ['the rule is against it', {mounts}, {what: 'missing'}],
    ['the result was restored', {mounts, result: account('result', exact)}, {what: 'all'}],
    ['there are none', {}, {what: 'all'}]
  ] as const)('does nothing when %s', async (_, restored, rule) => {
    expect(await taken(restored, rule)).toEqual({found: undefined, ran: []})
  })
})

describe('saveCaches', () => {
  const known = {imageDigests: new Map<string, string>()}

  async function save(restored: RestoredCaches, rule: SavingRule) {
    const commands = memoryCommands(() => ({}))
    const log = memoryLog()
    const build = buildOf(planWith({cache: 'layers'}, known))
    const context = {builder: 'default', environment: {}, buildEnvironment: {ONLY: 'for the tree'}}
    const ports = {commands, files: memoryFiles({}), log, clock: () => 0, cache: memoryCache()}
    const accounts = await saveCaches(build, restored, undefined, rule, context, ports)
    return {accounts, exports: commands.ran.filter(({argv}) => argv.includes('bake')), log}
  }

  it('makes the layers anew unless they were restored just so', async () => {
    const {exports} = await save({layers: account('layers', older)}, {what: 'all'})
    expect(exports).toHaveLength(1)
    expect(exports[0]?.options.environment).toMatchObject({ONLY: 'for the tree'})
    expect((await save({layers: account('layers', exact)}, {what: 'all'})).exports).toEqual([])
  })

  it('makes nothing after the result of this very build was restored', async () => {
    const {accounts, exports} = await save({result: account('result', exact)}, {what: 'all'})
    expect(accounts).toEqual([account('result', exact)])
    expect(exports).toEqual([])
  })

  it('makes only what was missing where the rule says so, and says what is left out', async () => {
    const rule: SavingRule = {what: 'missing', why: 'only this tag would see it.'}
    const {exports, log} = await save({layers: account('layers', older)}, rule)
    expect(exports).toEqual([])
    expect(log.lines).toEqual(['info: The reusable layers of the daemon are not saved: only this tag would see it.'])
    expect((await save({layers: account('layers')}, rule)).exports).toHaveLength(1)
  })
})
