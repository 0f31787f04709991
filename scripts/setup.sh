#!/bin/sh
# Fill an environment with exactly the versions of constraints.txt, then try out what every run needs.
#
# BIN: the environment's bin folder, made by PYTHON where it is missing. CONSTRAINTS: empty for the newest versions.
set -eu
: "${CONSTRAINTS=constraints.txt}"
pinned=${CONSTRAINTS:+--constraint $CONSTRAINTS}
quiet=--quiet
if [ -t 1 ]; then quiet=; fi

if ! "$BIN/python" -m pip --version >/dev/null 2>&1; then
    "$PYTHON" -m venv --clear "${BIN%/bin}" || sh scripts/venv.sh "$PYTHON" "${BIN%/bin}"
fi
if ! "$BIN/python" -c 'import torch' 2>/dev/null; then
    echo "Installing PyTorch and all else: on Linux about 3.5 GB are downloaded and 7 GB kept, in 2 to 10 minutes." \
        "(A smaller PyTorch without CUDA: see 'Set-up on other machines' in README.md.)"
fi
# Without build isolation: packages that are built here are built by a version of setuptools that is pinned, too.
# shellcheck disable=SC2086
"$BIN/python" -m pip install $quiet $pinned 'setuptools>=77'
# shellcheck disable=SC2086
"$BIN/python" -m pip install $quiet $pinned --no-build-isolation --editable '.[dev]'
PINNED="$pinned" sh scripts/fluidsynth.sh
"$BIN/python" run.py mode=doctor
