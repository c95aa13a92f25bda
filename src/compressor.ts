import type {Commands} from './ports.js'

/**
 * The first of zstd's levels, by these figures. Go's compiler cache, 580 MB: -1 takes 1.7 s of a processor for 142 MB,
 * -3 2.8 s for 132 MB, -1 --long=27 2.4 s for 112 MB. Layers, 186 MB of zstd already: 0.3, 0.4 and 0.6 s, all for nothing.
 */
export const zstd: readonly string[] = ['zstd', '-q', '-1', '-T0']

/** For machines without zstd, at the level that is nearest to it in speed. */
export const gzip: readonly string[] = ['gzip', '-1']

/** Whether this machine has the program zstd. */
export async function hasZstd(commands: Commands): Promise<boolean> {
  return (await commands.capture(['zstd', '--version'])).exitCode === 0
}
