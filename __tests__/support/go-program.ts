const marker = Buffer.alloc(16, 0xf9)

/** What cmd/link of Go 1.18 and newer leaves in a program: the header and two strings after their lengths. */
export function goBuildInfo(moduleText: string, goVersion = 'go1.24.4'): Buffer {
  const header = Buffer.alloc(32)
  header.write('\u00ff Go buildinf:', 'latin1')
  header[14] = 8
  header[15] = 2
  const module = Buffer.concat([marker, Buffer.from(moduleText), marker])
  return Buffer.concat([header, lengthPrefixed(Buffer.from(goVersion)), lengthPrefixed(module)])
}

/** Module text as in a program of moby or docker/cli; `ldflags` is written as Go quotes it. */
export function moduleTextWith(ldflags: string | undefined): string {
  const lines = ['path\tgithub.com/docker/docker/cmd/dockerd', 'mod\tgithub.com/docker/docker\t(devel)\t']
  if (ldflags !== undefined) lines.push(`build\t-ldflags=${JSON.stringify(ldflags)}`)
  return [...lines, 'build\tGOOS=linux', ''].join('\n')
}

/** The linker flags that stamp `variables`, for example `github.com/docker/docker/dockerversion.Version`. */
export function ldflags(module: string, version: string, commit: string): string {
  return `-w -X "${module}.Version=${version}" -X "${module}.GitCommit=${commit}" -X "${module}.BuildTime=2025-11-05"`
}

/** The first bytes of an ELF file for AArch64, so that nothing here tries to run it. */
export function foreignHeader(): Buffer {
  const header = Buffer.alloc(64)
  header.write('\u007fELF\u0002\u0001\u0001', 'latin1')
  header[18] = 183
  return header
}

function lengthPrefixed(content: Buffer): Buffer {
  const length: number[] = []
  for (let rest = content.length; ; rest = rest >>> 7) {
    if (rest < 0x80) return Buffer.concat([Buffer.from([...length, rest]), content])
    length.push((rest & 0x7f) | 0x80)
  }
}
