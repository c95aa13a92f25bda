#!/bin/sh
# Fails when the committed dist/ is not what src/ builds to. `git status` also sees files that the build left out.
set -eu
cd "$(dirname "$0")/.."
if [ -n "$(git status --porcelain -- dist)" ]; then
  echo 'dist/ has uncommitted changes' >&2
  exit 1
fi
rm -rf dist
npm run --silent build >/dev/null
changes=$(git status --porcelain -- dist)
[ -z "$changes" ] && exit 0
printf 'dist/ is not what src/ builds to; run `npm run build` and commit:\n%s\n' "$changes" >&2
git checkout -q -- dist
exit 1
