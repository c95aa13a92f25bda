import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {dockerHub} from '../../sandbox/docker-hub.js'
import {siteAt} from '../../sandbox/upstreams.js'
import type {Plan} from '../../src/plan/plan.js'
import {compareHosts} from '../support/asked-hosts.js'
import {actionFile, node24} from '../support/built-action.js'
import {startClosedNetwork} from '../support/closed-network.js'
import {runAction} from '../support/runner.js'

/*
 * Whether a build of real moby asks the hosts that its plan names, on request: `make test-moby` with the URLs of mirrors on
 * this machine that answer for the real sites, MOBY_BEHIND_HUB (a registry), MOBY_BEHIND_GITHUB, MOBY_BEHIND_GO (a
 * GOPROXY), MOBY_BEHIND_APT, and INVENTORY_REFS. The engine is the sandbox's, the way out is through two proxies.
 */
const {
  MOBY_BEHIND_HUB: hub = '',
  MOBY_BEHIND_GITHUB: github = '',
  MOBY_BEHIND_GO: go = '',
  MOBY_BEHIND_APT: apt = '',
  INVENTORY_REFS: refs = 'v28.5.2'
} = process.env
const complete = [hub, github, go, apt].every(url => url !== '')
const suite = complete ? describe : describe.skip
const inspecting = {username: 'builder', password: 'first.secret'}
const outer = {username: 'branch', password: 'second.secret'}

suite(
  complete ? 'the endpoints of real moby' : 'the endpoints of real moby (skipped: MOBY_BEHIND_… is not set)',
  () => {
    it.each(refs.split(/\s+/))('are what a build of %s asks, no more and no less', async ref => {
      const root = await mkdtemp(join(tmpdir(), 'build-moby-real-inventory-'))
      const sites = {...dockerHub(hub), 'github.com': siteAt(github), 'proxy.golang.org': siteAt(go), '*': siteAt(apt)}
      const network = await startClosedNetwork({inspecting, outer, node: node24, sites})
      try {
        const proxy = network.proxyUrl(`${inspecting.username}:${inspecting.password}@`)
        const {main} = await runAction({
          ...{root, action: actionFile, node: network.node},
          with: {
            ...{'http-proxy': proxy, 'https-proxy': proxy, 'ca-certificates': network.certificate, 'go-sumdb': 'off'},
            ...{ref, target: 'binary', client: 'none', cache: 'off', preflight: 'off'}
          },
          environment: {...network.engine.environment, BUILD_MOBY_OUTPUT: join(root, 'output')}
        })
        expect(main.log).not.toContain('##[error]')
        const plan = JSON.parse(await readFile(main.outputs.plan ?? '', 'utf8')) as Plan
        const targets = network.inspecting.requests().map(({target}) => target)
        expect(compareHosts(plan.endpoints, targets)).toEqual({missing: [], invented: []})
      } finally {
        await network.stop()
        await rm(root, {recursive: true, force: true})
      }
    })
  }
)
