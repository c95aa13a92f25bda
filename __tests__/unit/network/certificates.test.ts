import {rootCertificates} from 'node:tls'
import {describe, expect, it} from '@jest/globals'
import {ConfigurationError} from '../../../src/errors.js'
import {certificateProblem, readCertificates} from '../../../src/network/certificates.js'
import {memoryFiles} from '../../support/memory.js'

const [one = '', two = ''] = rootCertificates
const key = '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n'

describe('certificateProblem', () => {
  it('has nothing against certificates with text between them', () => {
    expect(certificateProblem(`An authority\n${one}\nAnother\n${two}`)).toBeUndefined()
  })

  it.each([
    ['text', 'no complete certificate in PEM form is in it'],
    [`${one}\n${key}`, 'a private key is in it: never hand that out'],
    [`${one}\n${two.replace(/[A-Za-z]{40}/, '')}`, 'certificate 2 of 2 in it cannot be read']
  ])('finds what is wrong', (text, problem) => {
    expect(certificateProblem(text)).toBe(problem)
  })
})

describe('readCertificates', () => {
  const files = memoryFiles({
    '/job/proxy.pem': `comment\n${one}\r\n`,
    '/etc/all.pem': `${one}\n${two}\n`,
    '/job/key.pem': key
  })

  it('takes the text as it is indented in a workflow', async () => {
    const indented = `${one}\n${two}`.replaceAll('\n', '\n    ')
    expect(await readCertificates({pem: indented}, '/job', files)).toBe(`${one}\n${two}\n`)
  })

  it('reads a file below the workspace, or by its full path', async () => {
    expect(await readCertificates({path: 'proxy.pem'}, '/job', files)).toBe(`${one}\n`)
    expect(await readCertificates({path: '/etc/all.pem'}, '/job', files)).toBe(`${one}\n${two}\n`)
  })

  it.each([
    ['.', /but that is a directory/],
    ['missing.pem', /got \/job\/missing\.pem, but there is no such file/],
    ['key.pem', /got \/job\/key\.pem, but a private key is in it/]
  ])('refuses %s and shows nothing of it', async (path, message) => {
    const reading = readCertificates({path}, '/job', files)
    await expect(reading).rejects.toThrow(ConfigurationError)
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.not.toThrow('hunter2')
  })
})
