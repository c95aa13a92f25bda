#!/bin/sh

set -e
name="$1"
outdir="$2"

DOWNLOAD_URL="https://downloads.example/moby/${name}"

curl -fsSL "${DOWNLOAD_URL}" -o "${outdir}/${name}"
