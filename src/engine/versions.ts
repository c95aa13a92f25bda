/** A release such as `0.29.1`; what follows the third number is ignored. */
export type Version = readonly [major: number, minor: number, patch: number]

/** The first version in a text such as `github.com/docker/buildx v0.29.1 a32761a`; undefined when there is none. */
export function findVersion(text: string): Version | undefined {
  const [, major, minor, patch] = /(?:^|[^\d.])(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}

/** Whether `version` is `minimum` or newer. */
export function isAtLeast(version: Version, minimum: Version): boolean {
  for (const [index, part] of version.entries()) {
    const least = minimum[index] ?? 0
    if (part !== least) return part > least
  }
  return true
}

/** `0.29.1` */
export function formatVersion(version: Version): string {
  return version.join('.')
}

// From go.mod or vendor.mod of moby at the first tag of each line, v23.0.0 to docker-v29.7.0.
const buildkitOfEngine: readonly (readonly [engine: Version, buildkit: Version])[] = [
  [
    [29, 7, 0],
    [0, 32, 0]
  ],
  [
    [29, 6, 0],
    [0, 31, 0]
  ],
  [
    [29, 5, 0],
    [0, 30, 0]
  ],
  [
    [29, 4, 0],
    [0, 29, 0]
  ],
  [
    [29, 3, 0],
    [0, 28, 0]
  ],
  [
    [29, 2, 0],
    [0, 27, 0]
  ],
  [
    [29, 1, 0],
    [0, 26, 2]
  ],
  [
    [29, 0, 0],
    [0, 25, 2]
  ],
  [
    [28, 5, 0],
    [0, 25, 0]
  ],
  [
    [28, 4, 0],
    [0, 24, 0]
  ],
  [
    [28, 3, 0],
    [0, 23, 1]
  ],
  [
    [28, 2, 0],
    [0, 22, 0]
  ],
  [
    [28, 1, 0],
    [0, 21, 0]
  ],
  [
    [28, 0, 0],
    [0, 20, 0]
  ],
  [
    [27, 5, 0],
    [0, 18, 2]
  ],
  [
    [27, 4, 0],
    [0, 17, 3]
  ],
  [
    [27, 3, 0],
    [0, 16, 0]
  ],
  [
    [27, 2, 0],
    [0, 15, 2]
  ],
  [
    [27, 1, 0],
    [0, 15, 0]
  ],
  [
    [27, 0, 0],
    [0, 14, 0]
  ],
  [
    [26, 0, 0],
    [0, 13, 1]
  ],
  [
    [25, 0, 0],
    [0, 12, 5]
  ],
  [
    [24, 0, 0],
    [0, 11, 6]
  ],
  [
    [23, 0, 0],
    [0, 10, 6]
  ]
]

/** The BuildKit inside a Docker Engine, for engines whose packagers did not stamp it; undefined before 23.0. */
export function buildkitInEngine(engine: Version): Version | undefined {
  return buildkitOfEngine.find(([least]) => isAtLeast(engine, least))?.[1]
}

/**
 * The BuildKit whose built-in Dockerfile frontend is that of `docker/dockerfile:1.N`: they are released together, 1.4
 * with 0.10 up to 1.26 with 0.32 (moby/buildkit tags).
 */
export function buildkitOfFrontend(minor: number): Version {
  return [0, minor + 6, 0]
}
