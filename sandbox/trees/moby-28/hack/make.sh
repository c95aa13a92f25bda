#!/usr/bin/env bash
# Makes the bundles named on the command line ("binary" if none) below ${PREFIX:-.}/bundles.
set -e -o pipefail

export DOCKER_PKG='github.com/docker/docker'
SCRIPTDIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export MAKEDIR="$SCRIPTDIR/make"

VERSION=${VERSION:-dev}
case "$VERSION" in
	refs/tags/v*) VERSION=${VERSION#refs/tags/v} ;;
	refs/tags/*) VERSION=${VERSION#refs/tags/} ;;
	refs/heads/*) VERSION=$(echo "${VERSION#refs/heads/}" | tr -s / -) ;;
	refs/pull/*) VERSION=pr-$(echo "$VERSION" | cut -d/ -f3) ;;
esac

BUILDTIME=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" --rfc-3339=ns | tr ' ' T)

if [ "$DOCKER_GITCOMMIT" ]; then
	GITCOMMIT=$DOCKER_GITCOMMIT
elif [ -e .git ] && GITCOMMIT=$(git rev-parse HEAD 2> /dev/null); then
	if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
		GITCOMMIT+=-unsupported
	fi
else
	echo >&2 'error: .git directory missing and DOCKER_GITCOMMIT not specified'
	exit 1
fi

LDFLAGS=
[ -n "$DOCKER_DEBUG" ] || LDFLAGS=-w
LDFLAGS_STATIC='-extldflags -static'
BUILDFLAGS=(-tags "netgo osusergo static_build $DOCKER_BUILDTAGS")

bundles="${PREFIX:-.}/bundles"
[ -n "$KEEPBUNDLE" ] || rm -rf "$bundles"
for bundle in "${@:-binary}"; do
	DEST="$bundles/$bundle"
	mkdir -p "$DEST"
	echo "---> Making bundle: $bundle (in $DEST)"
	source "$MAKEDIR/$bundle"
done
