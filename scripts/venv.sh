#!/bin/sh
# Make a virtual environment where the module venv alone cannot: `venv.sh PYTHON FOLDER`. Debian keeps what it needs in a
# package of its own: as root it is installed.
set -eu
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Install your system's package for python's venv (Debian: python3-venv)." >&2
    exit 1
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
"$1" -m venv --clear "$2"
