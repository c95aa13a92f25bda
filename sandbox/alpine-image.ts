import {alpineRelease} from './alpine-packages.js'
import type {LayerEntry} from './layers.js'

/**
 * What makes the stand-in golang image, which is Debian, one that a Dockerfile for Alpine can build on: busybox in place
 * of the shell and of the programs that it has, Alpine's list of repositories, a stand-in for apk, and no apt, bash or
 * curl. Alpine itself cannot be had from Debian's packages; Go and git stay Debian's. `commands` are busybox's.
 */
export function alpineEntries(
  busybox: Uint8Array,
  curl: Uint8Array,
  commands: readonly string[]
): readonly LayerEntry[] {
  const repositories = ['main', 'community'].map(
    name => `https://dl-cdn.alpinelinux.org/alpine/v${alpineRelease}/${name}\n`
  )
  const file = (path: string, content: string, mode = 0o644): LayerEntry => ({path, content, mode})
  return [
    {path: 'usr/bin/busybox', content: busybox, mode: 0o755},
    ...commands
      .filter(name => !name.startsWith('dpkg') && name !== 'tar')
      .map(name => ({path: `usr/bin/${name}`, linkTo: 'busybox'})),
    file('usr/bin/tar', tar, 0o755),
    ...['usr/bin/.wh.apt-get', 'usr/bin/.wh.apt', 'usr/bin/.wh.bash', 'usr/bin/.wh.curl', 'etc/.wh.apt'].map(path =>
      file(path, '')
    ),
    file('etc/os-release', `ID=alpine\nVERSION_ID=${alpineRelease}.0\nPRETTY_NAME="Alpine's stand-in"\n`),
    file('etc/alpine-release', `${alpineRelease}.0\n`),
    file('etc/apk/repositories', repositories.join('')),
    // apk's own way to fetch knows proxies, TLS and certificates; busybox's wget does not.
    {path: 'usr/libexec/apk/fetch', content: curl, mode: 0o755},
    file('usr/sbin/apk', apk, 0o755)
  ]
}

/** busybox's tar with the option `-T`, which Alpine's busybox has (aports, main/busybox/busyboxconfig) and Debian's has not. */
const tar = `#!/bin/sh
list=
for word; do
  shift
  case $list$word in
    -T) list=: ;;
    :*) list=$word ;;
    *) set -- "$@" "$word" ;;
  esac
done
[ -n "$list" ] || exec busybox tar "$@"
exec xargs -x -s 1000000 busybox tar "$@" < "$list"
`

/**
 * A stand-in for apk-tools, in POSIX sh: `apk add` and `apk update` with the words and exit codes of apk 2.14.6
 * (as in `__tests__/fixtures/failures`), without signatures, dependencies and a database.
 */
const apk = `#!/bin/sh
architecture=$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
errors=0

fetch() { /usr/libexec/apk/fetch -fsS --max-time 60 -o "$2" "$1" 2> "$work/error"; }

reason() {
  case "$1 $(cat "$work/error")" in
    7\\ *) echo 'could not connect to server (check repositories file)' ;;
    28\\ *) echo 'operation timed out' ;;
    60\\ * | *' 40'[137]) echo 'Permission denied' ;;
    *' 404') echo 'No such file or directory' ;;
    *) echo 'temporary error (try again later)' ;;
  esac
}

command=$1
shift
names= action='updating and opening'
while [ $# -gt 0 ]; do
  case $1 in
    -t | --virtual) shift ;;
    --no-cache) action=fetching ;;
    -*) ;;
    *) names="$names $1" ;;
  esac
  shift
done

touch "$work/available"
while read -r repository; do
  case $repository in '' | '#'*) continue ;; esac
  index=$repository/$architecture/APKINDEX.tar.gz
  echo "fetch $index"
  if fetch "$index" "$work/index"; then
    tar -xzOf "$work/index" APKINDEX | while IFS=: read -r field value; do
      case $field in
        P) name=$value ;;
        V) echo "$name $value $repository/$architecture/$name-$value.apk" ;;
      esac
    done >> "$work/available"
  else
    echo >&2 "WARNING: $action $repository: $(reason $?)"
    errors=$((errors + 1))
  fi
done < /etc/apk/repositories

case $command in
  update)
    [ $errors -gt 0 ] || echo "OK: $(wc -l < "$work/available") distinct packages available"
    exit $errors
    ;;
  add) ;;
  *) echo >&2 "the stand-in for apk has no '$command'" && exit 1 ;;
esac

missing=0
for name in $names; do
  grep -q "^$name " "$work/available" && continue
  [ $missing -gt 0 ] || echo >&2 'ERROR: unable to select packages:'
  printf >&2 '  %s (no such package):\\n    required by: world[%s]\\n' "$name" "$name"
  missing=$((missing + 1))
done
[ $missing -eq 0 ] || exit $missing

failed=0
for name in $names; do
  read -r name version url << END
$(grep "^$name " "$work/available")
END
  echo "Installing $name ($version)"
  if fetch "$url" "$work/package"; then tar -xzf "$work/package" -C / && rm /.PKGINFO
  else
    echo >&2 "ERROR: $name-$version: $(reason $?)"
    failed=$((failed + 1))
  fi
done
[ $failed -gt 0 ] || echo OK
exit $failed
`
