#!/bin/sh
# Installs the Debian packages it is given, where they are missing: install-packages.sh PACKAGE...
# Starts no service and leaves none running. Prints the version of each.
set -eu

missing=''
for package in "$@"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "install-packages.sh: must be root to install:$missing" >&2
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
dpkg-query --show --showformat='${Package} ${Version}\n' "$@"
