import {X509Certificate} from 'node:crypto'
import {isAbsolute, join} from 'node:path'
import {ConfigurationError} from '../errors.js'
import type {Files} from '../ports.js'

/** Certificate authorities as they were given: PEM text, or the path of a file with it. */
export type CertificatesInput = {readonly pem: string} | {readonly path: string}

/** What is wrong with a text that should be certificates in PEM form, or undefined when nothing is. */
export function certificateProblem(text: string): string | undefined {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'a private key is in it: never hand that out'
  const blocks = certificateBlocks(text)
  if (blocks.length === 0) return 'no complete certificate in PEM form is in it'
  const broken = blocks.findIndex(block => !isCertificate(block))
  return broken < 0 ? undefined : `certificate ${broken + 1} of ${blocks.length} in it cannot be read`
}

/**
 * The certificates of the input as PEM text: one block each, nothing between them. Relative paths are below `directory`.
 *
 * @throws ConfigurationError when the file is not there or holds anything but certificates.
 */
export async function readCertificates(input: CertificatesInput, directory: string, files: Files): Promise<string> {
  if ('pem' in input) return certificateBlocks(input.pem).join('')
  const path = isAbsolute(input.path) ? input.path : join(directory, input.path)
  const isDirectory = (await files.kind(path)) === 'directory'
  const text = isDirectory ? undefined : await files.readText(path)
  const missing = isDirectory ? 'that is a directory' : 'there is no such file'
  const problem = text === undefined ? missing : certificateProblem(text)
  if (text === undefined || problem !== undefined) {
    throw new ConfigurationError(
      `'ca-certificates' must be PEM text of certificates or the path of a file with it, got ${path}, but ${problem ?? ''}`
    )
  }
  return certificateBlocks(text).join('')
}

function certificateBlocks(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  // Indented by YAML, or with the line ends of another system.
  return blocks.map(block => block.replace(/\s*\n\s*/g, '\n').concat('\n'))
}

function isCertificate(block: string): boolean {
  try {
    new X509Certificate(block)
    return true
  } catch {
    return false
  }
}
