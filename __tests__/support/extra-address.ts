import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

/** An IPv4 address of this machine that nobody else uses, and that engines of the sandbox have no way to. */
export interface ExtraAddress {
  readonly address: string
  release(): Promise<void>
}

/** Adds an address to the loopback interface. The kernel removes it after an hour, should nobody release it. Needs root. */
export async function addExtraAddress(): Promise<ExtraAddress> {
  const taken = (await Promise.all([ip('-4', 'address'), ip('-4', 'route')])).join('\n')
  for (let third = 0; third < 256; third++) {
    if (taken.includes(`10.214.${third}.`)) continue
    const address = `10.214.${third}.1`
    const place = [`${address}/32`, 'dev', 'lo']
    // Another process may be about to take the same.
    const added = await ip('address', 'add', ...place, 'valid_lft', '3600', 'preferred_lft', '3600').then(
      () => true,
      (error: unknown) => {
        if (String(error).includes('exists')) return false
        throw error
      }
    )
    if (!added) continue
    return {
      address,
      release: async () => {
        await ip('address', 'delete', ...place)
      }
    }
  }
  throw new Error('all of 10.214.0.0/16 is in use on this machine')
}

async function ip(...words: string[]): Promise<string> {
  return (await promisify(execFile)('ip', words)).stdout
}
