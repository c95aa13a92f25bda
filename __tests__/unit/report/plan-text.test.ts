import {describe, expect, it} from '@jest/globals'
import type {EndpointKind, Route} from '../../../src/network/endpoint.js'
import {renderPlan, routeText, whatText} from '../../../src/report/plan-text.js'
import {daemonComponent, engineWith, planWith} from '../../support/plan.js'

describe('renderPlan', () => {
  it('tells of each build what is built, how, and with what', () => {
    const text = renderPlan(planWith({platforms: ['linux/amd64', 'linux/arm64']}))
    expect(text).toContain('Daemon\n  source    moby/moby refs/tags/v28.5.2 (blobless history)\n')
    expect(text).toContain('  commit    89c5e8fd66634b6128fc4c0e6f1236e2540e46e0 (v28.5.2)\n')
    expect(text).toContain('  stamp     dockerd --version: Docker version 28.5.2, build 89c5e8f\n')
    expect(text).toContain('  command   docker buildx bake --builder=default')
    expect(text).toContain('  platforms linux/amd64, linux/arm64\n')
    expect(text).toMatch(/ {2}keeps {5}build-moby-layers-2-daemon-/)
    expect(text).toContain('  writes    /job/run/daemon/bake-override.json')
    expect(text).toContain('\n\nClient\n  source    docker/cli ')
  })

  it('says so when there is no cache and no platform was named', () => {
    const text = renderPlan(planWith({cache: 'off'}, {components: [daemonComponent()]}))
    expect(text).toContain("platforms the builder's own\n")
    expect(text).toContain('keeps     nothing\n')
    expect(text).not.toContain('Client')
  })

  it('tells which builder it is and why, and the image of a new one', () => {
    expect(renderPlan(planWith())).toContain('Builder\n  default (existing, driver docker): the current builder')
    expect(renderPlan(planWith({}, {engine: engineWith({builder: {exportsCaches: false}})}))).toMatch(
      /Builder\n {2}build-moby-a1b2c3d4 \(created, driver docker-container\): .*\n {2}image moby\/buildkit:/
    )
  })

  it('lists every endpoint in aligned columns', () => {
    const plan = planWith()
    const table = renderPlan(plan).split('Endpoints\n')[1]?.split('\n\n')[0]?.split('\n') ?? []
    expect(table).toHaveLength(plan.endpoints.length + 1)
    const column = table[0]?.indexOf('fetched by') ?? -1
    for (const line of table.slice(1)) expect(line.slice(column - 2, column + 1)).toMatch(/^ {2}\S$/)
  })

  it("says how many endpoints 'strict' refuses", () => {
    expect(renderPlan(planWith())).not.toContain('refused')
    const plan = planWith({strict: true})
    const total = plan.endpoints.length
    const refused = plan.endpoints.filter(({route}) => route.via === 'refused').length
    expect(refused).toBeGreaterThan(1)
    expect(renderPlan(plan)).toMatch(new RegExp(`\n  ${refused} of ${total} endpoints are refused by 'strict'(\n\n|$)`))
  })

  it('ends with the notes, if there are any', () => {
    expect(renderPlan(planWith())).not.toContain('Notes')
    expect(renderPlan(planWith({proxies: {https: 'http://proxy.example'}}))).toMatch(
      /\n\nNotes\n {2}The Docker daemon has/
    )
  })
})

describe('routeText', () => {
  const text = (what: string, route: Partial<Route>, fetcher: 'dockerd' | 'buildkitd' = 'dockerd') =>
    routeText({what, fetcher, route: {via: 'direct', target: what, inputs: [], ...route}})

  it.each([
    ['docker.io/library/golang:1.24', 'm.example:5000/hub/library/golang:1.24', 'm.example:5000/hub'],
    ['docker.io/library/golang:1.24', 'm.example/library/golang:1.24', 'm.example'],
    ['https://github.com/moby/moby.git', 'https://m.example/gh/moby/moby.git', 'https://m.example/gh'],
    ['https://github.com/moby/moby.git', 'https://m.example/moby/moby.git', 'https://m.example'],
    ['https://github.com/a/one.git', 'https://m.example/mirrors/two.git', 'https://m.example/mirrors/two.git'],
    ['http://*/debian', 'http://m.example/os/debian', 'http://m.example/os'],
    ['https://sum.golang.org/', 'https://sum.golang.google.cn/', 'https://sum.golang.google.cn']
  ])('of %s at %s names the mirror %s', (what, target, base) => {
    expect(text(what, {via: 'mirror', target})).toBe(`mirror ${base}`)
    expect(text(what, {via: 'mirror', target, proxy: 'http://p:1'})).toBe(`mirror ${base}, proxy http://p:1`)
  })

  it('says what else there is', () => {
    expect(text('x', {via: 'proxy', proxy: 'http://p:1'})).toBe('proxy http://p:1')
    expect(text('x', {via: 'refused', inputs: ['git-mirrors', 'strict']})).toBe("refused: set 'git-mirrors'")
    expect(text('x', {via: 'daemon'})).toBe('direct, or a mirror or proxy of the daemon itself')
    expect(text('x', {via: 'daemon'}, 'buildkitd')).toBe('direct, or the proxy of the builder itself')
    expect(text('x', {})).toBe('direct')
  })
})

describe('whatText', () => {
  it.each<[EndpointKind, string, string]>([
    ['go', 'https://proxy.golang.org/github.com/tc-hib/go-winres/@v/v0.3.1.info', 'github.com/tc-hib/go-winres@v0.3.1'],
    ['go', 'https://goproxy.cn/github.com/!burnt!sushi/toml/@v/v1.4.0.info', 'github.com/BurntSushi/toml@v1.4.0'],
    ['go', 'https://proxy.golang.org/', 'https://proxy.golang.org/'],
    ['http', 'https://files.example/a/@v/b.info', 'https://files.example/a/@v/b.info']
  ])('of %s %s is %s', (kind, what, text) => {
    expect(whatText({kind, what})).toBe(text)
  })
})
