import type {PrefixRule} from './network.js'

/**
 * A POSIX shell script that, as `curl` or `wget` in a directory early in PATH, sends downloads to mirrors: every argument that
 * begins with the prefix of a rule is rewritten by the first such rule, so longer prefixes must come first; the value of
 * `--url=` as well. It then becomes the next program of its own name in PATH, and where there is none, ends as a shell does.
 * What it does not see: URLs in files (`curl --config`, `wget --input-file`), redirects, programs called by their paths.
 */
export function downloadShim(rules: readonly PrefixRule[]): string {
  const cases = rules.map(
    ({from, to}) => `  ${shellQuoted(from)}*) url=${shellQuoted(to)}\${1#${shellQuoted(from)}} ;;`
  )
  return `#!/bin/sh
# The 'download-mirrors' of Build Moby.
mirrored() {
  case $1 in
${cases.join('\n')}
  *) url=$1 ;;
  esac
}
left=$#
while [ "$left" -gt 0 ]; do
  case $1 in
  --url=*) mirrored "\${1#--url=}"; set -- "$@" "--url=$url" ;;
  *) mirrored "$1"; set -- "$@" "$url" ;;
  esac
  shift
  left=$((left - 1))
done
name=\${0##*/}
set -f
IFS=:
for directory in $PATH; do
  program=\${directory:-.}/$name
  if [ -f "$program" ] && [ -x "$program" ] && ! [ "$program" -ef "$0" ]; then exec "$program" "$@"; fi
done
echo "sh: $name: not found" >&2
exit 127
`
}

/** A text as one word of a POSIX shell, whatever is in it. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
