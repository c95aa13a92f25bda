/** `linux/amd64` or `linux/arm/v7`, as BuildKit writes platforms. */
export type Platform = string

const operatingSystems = ['darwin', 'freebsd', 'linux', 'windows'] as const

// Other names for architectures, and variants that mean the default.
// containerd/platforms database.go@v1.0.0-rc.2, normalizeArch
const architectures: Readonly<Record<string, string>> = {
  i386: '386',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  'amd64/v1': 'amd64',
  aarch64: 'arm64',
  'aarch64/v8': 'arm64',
  'arm64/v8': 'arm64',
  arm: 'arm/v7',
  armhf: 'arm/v7',
  armel: 'arm/v6'
}

// process.arch, as in the documentation of Node.js, where it differs from Go's name.
const architecturesOfNode: Readonly<Record<string, string>> = {
  arm: 'arm/v7',
  ia32: '386',
  ppc64: 'ppc64le',
  x64: 'amd64'
}

// e_machine of ELF files: the generic System V ABI, chapter 4, for the architectures that Go builds for.
const architecturesOfElf: Readonly<Record<number, string>> = {
  3: '386',
  8: 'mips',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm',
  62: 'amd64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64'
}

/** The same platform in BuildKit's normal form: `linux/arm` is `linux/arm/v7`, `linux/arm64/v8` is `linux/arm64`. */
export function normalPlatform(platform: Platform): Platform {
  const [system = '', ...rest] = platform.toLowerCase().split('/')
  const architecture = rest.join('/')
  return `${system}/${architectures[architecture] ?? architecture}`
}

/**
 * The directory that a local export for several platforms makes for one of them: `linux_arm_v7` for `linux/arm/v7`.
 * Source: moby/buildkit exporter/local/export.go.
 */
export function directoryOfPlatform(platform: Platform): string {
  return normalPlatform(platform).replaceAll('/', '_')
}

/** The platform whose directory has this name, or undefined for any other directory. */
export function platformOfDirectory(name: string): Platform | undefined {
  const [system, architecture, variant, ...rest] = name.split('_')
  if (!operatingSystems.some(known => known === system) || architecture === undefined || rest.length > 0)
    return undefined
  if (!/^[a-z0-9]+$/.test(architecture) || (variant !== undefined && !/^v\d+$/.test(variant))) return undefined
  return name.replaceAll('_', '/')
}

/** The platform of a machine where Node.js says `process.platform` and `process.arch`. */
export function platformOfMachine(system: string, architecture: string): Platform {
  return normalPlatform(
    `${system === 'win32' ? 'windows' : system}/${architecturesOfNode[architecture] ?? architecture}`
  )
}

/**
 * The platform that a program is for, judged by its first bytes (20 are enough) and without a variant: an ELF file counts
 * as Linux unless it is marked for FreeBSD. Undefined when the bytes do not tell, as those of a script.
 */
export function platformOfProgram(header: Uint8Array): Platform | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  if (header.byteLength < 20) return undefined
  if (view.getUint16(0) === 0x4d5a) return 'windows/unknown'
  if ([0xcffaedfe, 0xcefaedfe, 0xcafebabe].includes(view.getUint32(0))) return 'darwin/unknown'
  if (view.getUint32(0) !== 0x7f454c46) return undefined
  const littleEndian = view.getUint8(5) === 1
  const system = view.getUint8(7) === 9 ? 'freebsd' : 'linux'
  return `${system}/${architecturesOfElf[view.getUint16(18, littleEndian)] ?? 'unknown'}`
}

/** Whether two platforms have the same operating system and architecture, whatever their variants. */
export function sameArchitecture(one: Platform, other: Platform): boolean {
  const withoutVariant = (platform: Platform) => normalPlatform(platform).split('/', 2).join('/')
  return withoutVariant(one) === withoutVariant(other)
}
