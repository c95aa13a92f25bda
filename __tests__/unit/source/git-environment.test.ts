import {describe, expect, it} from '@jest/globals'
import {credentialSecrets, gitEnvironment, type GitSettings} from '../../../src/source/git-environment.js'

const nothing: GitSettings = {base: {}, directories: [], credentials: [], rewrites: [], proxies: {}}

/** The configuration that git reads from the variables, in order. */
function configuration(environment: Readonly<Record<string, string>>): (readonly [string, string])[] {
  return Array.from({length: Number(environment.GIT_CONFIG_COUNT)}, (_, index) => [
    environment[`GIT_CONFIG_KEY_${index}`] ?? '',
    environment[`GIT_CONFIG_VALUE_${index}`] ?? ''
  ])
}

describe('gitEnvironment', () => {
  it('keeps git from asking, and makes it speak English', () => {
    expect(gitEnvironment({...nothing, base: {LC_ALL: 'de_DE.UTF-8'}})).toMatchObject({
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C'
    })
  })

  it('hands on what it is given, but for what would lead git to another repository', () => {
    const environment = gitEnvironment({...nothing, base: {PATH: '/bin', GIT_DIR: '/other', GIT_INDEX_FILE: 'x'}})
    expect(environment).toMatchObject({PATH: '/bin'})
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['GIT_DIR']))
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['GIT_INDEX_FILE']))
  })

  it('trusts the certificates of a file, if there is one', () => {
    expect(gitEnvironment({...nothing, certificateFile: '/run/all.pem'})).toMatchObject({
      GIT_SSL_CAINFO: '/run/all.pem'
    })
    expect(gitEnvironment(nothing)).not.toHaveProperty('GIT_SSL_CAINFO')
  })

  it('adds to the configuration that is in the environment already', () => {
    const base = {GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'somebody'}
    const entries = configuration(gitEnvironment({...nothing, base, directories: ['/checkout']}))
    expect(entries[0]).toEqual(['user.name', 'somebody'])
    expect(entries).toContainEqual(['safe.directory', '/checkout'])
  })

  it('gives credentials to their own server alone, in place of those in the checkout', () => {
    const credentials = [{origin: 'https://github.com', username: 'x-access-token', password: 'secret'}]
    const key = 'http.https://github.com/.extraheader'
    const headers = configuration(gitEnvironment({...nothing, credentials})).filter(([name]) =>
      name.startsWith('http.h')
    )
    expect(headers).toEqual([
      [key, ''],
      [key, expect.stringMatching(/^authorization: basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0$/i)]
    ])
  })

  it('turns mirror rules into insteadOf', () => {
    const rewrites = [{from: 'https://github.com/', to: 'https://mirror.example/github/'}]
    expect(configuration(gitEnvironment({...nothing, rewrites}))).toContainEqual([
      'url.https://mirror.example/github/.insteadOf',
      'https://github.com/'
    ])
  })

  it('sets the proxies in both spellings', () => {
    const environment = gitEnvironment({...nothing, proxies: {https: 'http://proxy.example:3128', none: 'local'}})
    expect(environment).toMatchObject({https_proxy: 'http://proxy.example:3128', NO_PROXY: 'local'})
  })

  it('never goes into submodules, and packs nothing in the background', () => {
    expect(configuration(gitEnvironment(nothing))).toEqual(
      expect.arrayContaining([
        ['submodule.recurse', 'false'],
        ['gc.auto', '0']
      ])
    )
  })
})

describe('credentialSecrets', () => {
  it('holds the password and the form in which it travels', () => {
    expect(credentialSecrets({username: 'x-access-token', password: 'secret'})).toEqual([
      'secret',
      'eC1hY2Nlc3MtdG9rZW46c2VjcmV0'
    ])
  })

  it('holds the user where a token stands alone', () => {
    expect(credentialSecrets({username: 'token', password: ''})[0]).toBe('token')
  })
})
