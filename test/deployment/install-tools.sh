#!/bin/sh
# Installs what the deployment tests run: promtool, systemd-analyze, prosodyctl and the tools to make a root directory, and the
# shells whose completion is tested, from Debian. Safe to run again. Starts no service and leaves none running.
set -eu

packages='prometheus prosody systemd util-linux iproute2 ca-certificates libatomic1 zsh fish'

missing=''
for package in $packages; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "install-tools.sh: must be root to install:$missing" >&2
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

for command in promtool systemd-analyze prosodyctl zsh fish unshare nsenter setpriv ip; do
  if ! PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null; then
    echo "install-tools.sh: $command is not on the path after installation" >&2
    exit 1
  fi
done
dpkg-query --show --showformat='${Package} ${Version}\n' $packages
