import {operands, type Download, type StepSurroundings} from './download.js'
import type {ProgramCall} from './script-frame.js'

/** Keeps in mind what a step installs. */
export function noteInstalled({program, words}: ProgramCall, {packages}: StepSurroundings): void {
  for (const name of operands(words)) packages.add(`${program} ${name}`)
}

/**
 * The linkers that tonistiigi/xx downloads by itself when it sets up clang for a platform that clang's own linker does not
 * know (src/xx-cc@v1.6.1). It finds one where a compiler for the platform is installed, as moby's Dockerfile does;
 * docker/cli's does not.
 */
export function linkerDownloads({program, variable}: ProgramCall, step: StepSurroundings): Download[] {
  if (!program.startsWith('xx-')) return []
  const {packages, platform} = step
  const has = (...names: string[]) => names.some(name => packages.has(name))
  if (!has('apt-get clang', 'apt clang', 'apk clang')) return []
  const architecture = platform('TARGETARCH') ?? ''
  const isForeign = architecture !== platform('BUILDARCH')
  const isAsked = architecture === 'arm64' && variable('XX_CC_PREFER_LINKER') === 'ld'
  const isUnknown = /^(s390x|riscv64)$/.test(architecture) || isAsked
  const hasCompiler = has('xx-apt-get gcc', 'xx-apt gcc')
  const wanted = platform('TARGETOS') === 'darwin' || (isForeign && isUnknown && !hasCompiler)
  return wanted ? [{kind: 'http', url: 'https://github.com/tonistiigi/xx/releases/download/'}] : []
}
