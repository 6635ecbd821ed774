#!/bin/sh
# Installs what the deployment tests run: promtool, named-checkzone, systemd-analyze, prosodyctl and the tools to make a root directory, and the
# shells whose completion is tested, and two readers of manual pages, from Debian. Safe to run again. Starts no service and leaves none running.
set -eu

"$(dirname "$0")/../support/install-packages.sh" prometheus bind9-utils prosody systemd systemd-container util-linux procps curl iproute2 ca-certificates libatomic1 zsh fish groff-base mandoc

for command in promtool named-checkzone systemd-analyze systemd-nspawn prosodyctl zsh fish groff mandoc unshare nsenter setpriv ps curl ip; do
  if ! PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null; then
    echo "install-tools.sh: $command is not on the path after installation" >&2
    exit 1
  fi
done
