#!/usr/bin/env bash
# Installs the real parts that the end-to-end tests use, from Debian's packages. Fails when one is missing afterwards.
set -euo pipefail
parts=(age prometheus prometheus-alertmanager nginx-light caddy systemd victoria-metrics jq curl chromium unzip zip openssh-client openssl sqlite3 python3 libarchive-tools strace faketime tmux)
programs=(age age-keygen prometheus promtool prometheus-alertmanager nginx caddy systemd-analyze victoria-metrics jq curl chromium unzip zip ssh-keygen openssl sqlite3 python3 bsdtar strace faketime tmux)
missing=()
for program in "${programs[@]}"; do command -v "$program" >/dev/null || missing+=("$program"); done
if ((${#missing[@]} > 0)); then
  apt-get update -qq
  # The service that the package would start is not wanted: the tests start their own.
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${parts[@]}" >/dev/null
  rm -f /usr/sbin/policy-rc.d
fi
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || { echo "missing after installation: $program" >&2; exit 1; }
done
# Programs of others that speak to lukhas, the official MCP conformance suite and inspector, and the versions of Node.js
# that lukhas is tested with, from npm. Folders and lock files of their own, so that nobody who only installs or tests
# lukhas pays for them.
for folder in parts nodes; do
  (cd "$(dirname "$0")/../test/e2e/$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
done
