#!/usr/bin/env bash
# Installs Debian's XGBoost. Called by the program when boosted trees are first trained and there is none; the program says what to do when this fails.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/setup.sh"
echo "kerf: installing XGBoost (once)" >&2
need_packages libxgboost0:libxgboost.so.0 2>/dev/null
