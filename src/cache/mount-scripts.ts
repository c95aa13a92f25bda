import type {PlannedMount} from './plan-mounts.js'

/** The names of the files of one mount, in the build context and in what a build puts out: its number first. */
export type MountFile = 'list' | 'record.json' | 'base' | 'delta' | 'files' | 'used' | 'tar'

/**
 * A Dockerfile whose one step has `mounts` as /build-moby/0, /build-moby/1 … and the build context as /build-moby/in, and
 * runs script.sh of the context. What the script leaves in /build-moby/out is the result. There is no `# syntax` line, so
 * nothing is downloaded but the image, and not even that when `image` is the name of a build context. `unique` makes the
 * step run again each time.
 */
export function mountDockerfile(image: string, mounts: readonly PlannedMount[], unique: string): string {
  const flags = mounts.map(({id, sharing, owner}, index) =>
    ['type=cache', `id=${id}`, `target=/build-moby/${index}`, `sharing=${sharing}`, ...owner].join()
  )
  const run = [
    'RUN --network=none',
    ...['type=bind,target=/build-moby/in', ...flags].map(flag => `--mount=${flag}`),
    JSON.stringify(['sh', '/build-moby/in/script.sh', unique])
  ]
  return [
    `FROM --platform=$BUILDPLATFORM ${image} AS step`,
    'USER 0:0',
    run.join(' '),
    'FROM scratch',
    'COPY --from=step /build-moby/out/ /',
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
 * A script that unpacks archives of the context (`tars`, by mount) into the mounts, and notes what they are. If one cannot
 * be unpacked, the mounts are left as they were, so that no half of one is trusted and no full disk stops the build.
 * A mount of modules that holds some already is left alone: Go trusts a module's directory as soon as it is there.
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

/** A script that packs the files that the context lists for each of the mounts in `listed`, and notes what they are. */
export function dumpScript(mounts: readonly PlannedMount[], listed: ReadonlySet<number>, family: string): string {
  return script(family, [
    ...mounts.flatMap((_, index) => (listed.has(index) ? [`dump ${index}`] : [])),
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
const functions = `in=/build-moby/in out=/build-moby/out
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
  [ ! -e .build-moby/filled ] || clear
  touch -d "@$(($(date +%s) - 1))" .build-moby/begin
}

inject_compiler() {
  enter "$1" && shift
  for tar; do /bin/tar -x -m -f "$in/$tar"; done
}

undo_compiler() {
  enter "$1"
  content ! -type d -newer .build-moby/begin -exec rm -f {} +
  rm -rf "$record"
}

inject_modules() {
  enter "$1" && shift
  [ -z "$(find . -mindepth 1 -maxdepth 1 ! -name .build-moby)" ] || return 0
  touch .build-moby/filled
  for tar; do /bin/tar -x -p -f "$in/$tar"; done
}

clear() {
  find . -mindepth 1 -maxdepth 1 ! -name .build-moby -exec rm -rf {} +
  rm -f .build-moby/filled
}

undo_modules() {
  enter "$1"
  [ ! -e .build-moby/filled ] || clear
  rm -rf "$record"
}

note() {
  enter "$1"
  rm -f .build-moby/filled
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
  /bin/tar -c --numeric-owner --no-recursion -f "$out/$1.tar" -T "$in/$1.list"
}

`
