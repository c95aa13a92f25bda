#!/bin/sh
# Starts the daemon as a user who is not root.
set -e
exec rootlesskit dockerd "$@"
