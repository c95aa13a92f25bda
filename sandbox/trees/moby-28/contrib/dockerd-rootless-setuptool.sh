#!/bin/sh
# Says how to start the daemon as a user who is not root.
echo "run dockerd-rootless.sh"
