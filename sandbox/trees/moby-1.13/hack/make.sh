#!/usr/bin/env bash
set -e
VERSION=$(< ./VERSION)
for bundle in "$@"; do
	DEST="bundles/$VERSION/$bundle"
	mkdir -p "$DEST"
	source "hack/make/$bundle"
done
