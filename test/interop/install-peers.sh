#!/bin/sh
# Installs the real servers the interop tests run against: Prosody and ejabberd, from Debian.
# Safe to run again. Starts no service and leaves none running: the tests start their own, under a temporary directory.
set -eu

packages='prosody prosody-modules lua-unbound ejabberd openssl'

missing=''
for package in $packages; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "install-peers.sh: must be root to install:$missing" >&2
    exit 1
  fi
  # Debian starts what it installs unless policy-rc.d forbids it. One that is already there is left alone.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  apt-get install --yes --quiet --no-install-recommends $missing
fi

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
dpkg-query --show --showformat='${Package} ${Version}\n' $packages
