#!/bin/sh
# Installs the real servers the interop tests run against: Prosody and ejabberd, from Debian.
# Safe to run again. Starts no service and leaves none running: the tests start their own, under a temporary directory.
set -eu

"$(dirname "$0")/../support/install-packages.sh" prosody prosody-modules lua-unbound ejabberd openssl

for command in prosody ejabberdctl erl openssl; do
  if ! PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$command" >/dev/null; then
    echo "install-peers.sh: $command is not on the path after installation" >&2
    exit 1
  fi
done
lua5.4 -e 'require "lunbound"' || {
  echo 'install-peers.sh: lua-unbound does not load in lua5.4; Prosody would not ask our DNS server' >&2
  exit 1
}
