#!/usr/bin/env bash
# Style and lints of the native core, where there is a cargo that has them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
PATH=$PATH:${HOME:-}/.cargo/bin
export CARGO_TARGET_DIR=../../.tools/native

if ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
  echo "core: streams/native is not linted, as cargo, rustfmt or clippy is missing here"
  exit 0
fi
cargo fmt --check
cargo clippy --quiet --release --locked
