#!/bin/sh
# Make sure that there is a FluidSynth library: the system's, else as root Debian's package, else the one inside
# the wheel of pygame-ce. BIN: the environment's bin folder. PINNED: further arguments of pip.
set -eu
usable() { "$BIN/python" -c 'from src.audio.fluid import functions; functions()' 2>/dev/null; }

usable && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get install -y -qq --no-install-recommends libfluidsynth3 || (apt-get update -qq && apt-get install -y -qq --no-install-recommends libfluidsynth3)) >/dev/null || true
    usable && exit 0
fi
# shellcheck disable=SC2086
"$BIN/python" -m pip install --quiet $PINNED pygame-ce
usable || "$BIN/python" -c 'from src.audio.fluid import functions; functions()'
