#!/usr/bin/env bash
# Prints the folder of the newest PostgreSQL server programs that the system has.
set -euo pipefail
found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$found/postgres" ] || { echo "no PostgreSQL server of the system; install the Debian package postgresql" >&2; exit 7; }
echo "$found"
