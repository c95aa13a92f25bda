import {gzip, zstd} from '../compressor.js'
import type {PlannedMount} from './plan-mounts.js'

/** Where a script leaves its results, in the root of what a build puts out. */
export const resultsDirectory = 'results'

/**
 * Where the context may have a zstd: in a directory whose name ends with the kind of machine that it runs on, as `uname -m`
 * says it; a shell takes a program of another kind for a script. By these names the program, and what loads it.
 */
export const carriedZstd = {directory: 'zstd-', program: 'zstd', loader: 'loader'}

/** The result of a script that packs. */
export const packedName = 'archive'

/** What a script needs of an image, as links from its root to where the image is mounted. Not every image has them all. */
export const rootLinks = ['bin', 'lib', 'lib64', 'sbin', 'usr'].map(path => ({
  path,
  target: `build-moby/image/${path}`
}))

/** The build contexts that stand for images. */
export interface MountImages {
  /** The image whose tools a script uses: its name, or that of a build context. */
  readonly tools: string
  /** An image to unpack meanwhile. */
  readonly beside?: string | undefined
}

/**
 * A Dockerfile whose one step has `mounts` as /build-moby/0, /build-moby/1 … and the build context as /build-moby/in, and
 * runs script.sh of the context. `archives` of the context are unpacked below /build-moby/archives, each in a directory
 * of its own path. `unique` makes the step run again each time.
 *
 * The root of the step is its own, with links to the tools of the image (`root` of the context): results are put out without
 * another copy, and unpacked archives are not read through for a key of BuildKit's cache, as a bind mount would be. There is
 * no `# syntax` line, so nothing is downloaded but the image, and not even that when it is a build context.
 */
export function mountDockerfile(
  {tools, beside}: MountImages,
  mounts: readonly PlannedMount[],
  archives: readonly string[],
  unique: string
): string {
  const flags = [
    'type=bind,from=image,target=/build-moby/image',
    'type=bind,target=/build-moby/in',
    ...mounts.map(({id, sharing, owner}, index) =>
      ['type=cache', `id=${id}`, `target=/build-moby/${index}`, `sharing=${sharing}`, ...owner].join()
    )
  ]
  const run = [
    'RUN --network=none',
    ...flags.map(flag => `--mount=${flag}`),
    JSON.stringify(['/bin/sh', '/build-moby/in/script.sh', unique])
  ]
  return [
    `FROM --platform=$BUILDPLATFORM ${tools} AS image`,
    'FROM --platform=$BUILDPLATFORM scratch',
    'COPY root/ /',
    // ADD knows an archive by its first bytes, whatever it is compressed with.
    ...archives.map(path => `ADD ${path} /build-moby/archives/${path}/`),
    run.join(' '),
    ...(beside === undefined ? [] : [`COPY --from=${beside} /bin/sh /build-moby/`]),
    ''
  ].join('\n')
}

/**
 * A script that says what is known of the mounts, and lets everything in those of the compiler look unused from now on.
 * `family` tells what is noted of them here from what others may note.
 */
export function probingScript(mounts: readonly PlannedMount[], family: string): string {
  return script(family, [
    ...mounts.map((_, index) => `recall ${index} record.json`),
    ...mounts.flatMap(({kind}, index) => (kind === 'compiler' ? [`forget_use ${index}`] : []))
  ])
}

/**
 * A script that unpacks what archives hold (`tars`, by mount) into the mounts, and notes what they are. If one cannot
 * be unpacked, the mounts are left as they were, so that no half of one is trusted and no full disk stops the build.
 * Go trusts a module's directory as soon as it is there: so a mount of modules that holds some already is left alone, and
 * the others get theirs by renaming, when everything is unpacked.
 */
export function injectionScript(
  mounts: readonly PlannedMount[],
  tars: readonly (readonly string[])[],
  family: string
): string {
  const each = (command: (kind: PlannedMount['kind'], index: number) => string) =>
    mounts.map(({kind}, index) => command(kind, index))
  return script(family, [
    ...each((_, index) => `begin ${index}`),
    `undo() { ${each((kind, index) => `undo_${kind} ${index}`).join('; ')}; }`,
    `trap 'status=$?; [ $status = 0 ] || undo; exit $status' EXIT`,
    ...each((kind, index) => [`inject_${kind}`, index, ...(tars[index] ?? [])].join(' ')),
    'rm -rf "$archives"',
    ...mounts.flatMap(({kind}, index) => (kind === 'modules' ? [`use_modules ${index}`] : [])),
    ...mounts.flatMap(({kind}, index) => (kind === 'compiler' ? [`forget_use ${index}`] : [])),
    ...each((_, index) => `note ${index}`)
  ])
}

/** A script that puts out what is in the mounts, and what of it was used since their use was forgotten. */
export function surveyScript(mounts: readonly PlannedMount[], family: string): string {
  return script(
    family,
    mounts.flatMap((_, index) => [`survey ${index}`, `recall ${index} record.json base delta`])
  )
}

/**
 * A script that packs the files that the context lists for a mount as `<name>.tar`, `names` being those names by mount, all in
 * one compressed archive, and notes what all mounts are. BuildKit hands over results at the pace of its protocol: 990 MB of
 * compiler cache took it 7.1 s, the same packed, 260 MB, 1.9 s.
 */
export function dumpScript(
  mounts: readonly PlannedMount[],
  names: ReadonlyMap<number, string>,
  family: string
): string {
  return script(family, [
    ...[...names].map(([index, name]) => `dump ${index} ${name}`),
    ...(names.size === 0 ? [] : ['pack']),
    ...mounts.map((_, index) => `note ${index}`)
  ])
}

function script(family: string, lines: readonly string[]): string {
  return `set -eu\nrecord=.build-moby/${family}\n${functions}${lines.join('\n')}\n`
}

/**
 * For the shells and tools of Debian and of Alpine (busybox, whose shell may be built to prefer its own tar to the image's).
 * Notes are kept in the mounts themselves, in .build-moby.
 *
 * Go renews the time of a file that it uses when that is more than an hour old (mtimeInterval in cmd/go/internal/cache),
 * and removes what was not used for five days. With all times two hours back, a time that is newer tells what was used.
 */
const functions = `in=/build-moby/in out=/${resultsDirectory} archives=/build-moby/archives tars=/build-moby/tars
mkdir -p "$out"

enter() { cd "/build-moby/$1" && mkdir -p "$record"; }

content() { find . -path ./.build-moby -prune -o "$@"; }

forget_use() {
  enter "$1"
  now=$(date +%s)
  touch -d "@$((now - 7200))" .build-moby/past
  touch -d "@$((now - 3660))" .build-moby/mark
  content -type f -newer .build-moby/mark -exec touch -r .build-moby/past {} +
}

begin() {
  enter "$1"
  # Whoever was to fill it was killed.
  rm -rf .build-moby/new
  touch -d "@$(($(date +%s) - 1))" .build-moby/begin
}

inject_compiler() {
  enter "$1" && shift
  for tar; do /bin/tar -x -m -f "$archives/$tar"; done
}

undo_compiler() {
  enter "$1"
  content ! -type d -newer .build-moby/begin -exec rm -f {} +
  rm -rf "$record"
}

inject_modules() {
  enter "$1" && shift
  [ -z "$(find . -mindepth 1 -maxdepth 1 ! -name .build-moby)" ] || return 0
  mkdir .build-moby/new
  for tar; do /bin/tar -x -p -C .build-moby/new -f "$archives/$tar"; done
}

use_modules() {
  enter "$1"
  [ -e .build-moby/new ] || return 0
  find .build-moby/new -mindepth 1 -maxdepth 1 -exec mv {} . ';'
  rmdir .build-moby/new
}

undo_modules() {
  enter "$1"
  rm -rf .build-moby/new "$record"
}

note() {
  enter "$1"
  for name in record.json base delta; do
    if [ -e "$in/$1.$name" ]; then cp "$in/$1.$name" "$record/$name"; else rm -f "$record/$name"; fi
  done
}

recall() {
  enter "$1"
  mount=$1 && shift
  for name; do [ ! -e "$record/$name" ] || cp "$record/$name" "$out/$mount.$name"; done
}

survey() {
  enter "$1"
  content ! -type d -exec stat -c '%s %n' {} + > "$out/$1.files"
  [ ! -e .build-moby/mark ] || content -type f -newer .build-moby/mark -print > "$out/$1.used"
}

dump() {
  enter "$1"
  mkdir -p "$tars"
  /bin/tar -c --numeric-owner --no-recursion -f "$tars/$2.tar" -T "$in/$1.list"
}

zstd() {
  carried=$in/${carriedZstd.directory}$(uname -m)
  "$carried/${carriedZstd.loader}" --library-path "$carried" "$carried/${carriedZstd.program}" "$@"
}

pack() {
  cd "$tars"
  packer='${zstd.join(' ')}'
  $packer < /dev/null > /dev/null 2>&1 || packer='${gzip.join(' ')}'
  # In \`tar | zstd\` a tar that fails would go unnoticed.
  mkfifo pipe
  $packer < pipe > "$out/${packedName}" &
  /bin/tar -c -f pipe *.tar
  wait $!
  rm -r "$tars"
}

`
