"""Renders MIDI messages with FluidSynth in memory, to the same bits whatever was played before."""

import os
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import mido
import numpy as np

from src.audio import fluid
from src.audio.score import DRUM_CHANNEL
from src.errors import UserError

_CHANNELS = 16
_DRUM_BANK = 128
_COARSE_TUNE = 51  # generator, semitones


class Synthesizer:
    """Renders pieces with one soundfont, which is loaded once.

    Each piece is played by a fresh FluidSynth that borrows the loaded soundfont: a synthesiser that is used again
    keeps reverberation, chorus phase and more, even after a reset. A fresh one costs 0.1 ms to 1.3 ms. Events take
    effect at multiples of 64 samples.

    Args:
        soundfont: an `.sf2` or `.sf3` file.
        sample_rate: in Hz, 8000..96000.
        effects: whether to add reverberation and chorus, with FluidSynth's default settings.

    Raises:
        UserError: no FluidSynth library, or the file is no soundfont.
    """

    def __init__(self, soundfont: Path, *, sample_rate: int = 22050, effects: bool = True) -> None:
        check_sample_rate(sample_rate)
        self.sample_rate = sample_rate
        self._soundfont = soundfont
        self._fluid = fluid.functions()
        self._settings = _settings(self._fluid, sample_rate, effects)
        self._owner = self._fluid.new_fluid_synth(self._settings)
        weakref.finalize(self, _release, self._fluid, self._owner, self._settings)
        identifier = self._fluid.synth_sfload(self._owner, os.fsencode(soundfont), 1)
        if identifier < 0:
            raise UserError(f"FluidSynth cannot load {soundfont}; give an intact .sf2 or .sf3 file")
        self._font = self._fluid.synth_get_sfont_by_id(self._owner, identifier)

    def render(
        self,
        events: Iterable[tuple[float, mido.Message]],
        seconds: float,
        *,
        bank: int = 0,
        generators: Mapping[int, float] | None = None,
        key_shift: int = 0,
    ) -> np.ndarray:
        """Play a piece.

        Args:
            events: (time in seconds, message) ordered by time; notes and program changes are played.
            seconds: length of the sound; events at or past the end are left out.
            bank: of the programs; drums have their own.
            generators: offsets added to the soundfont's own values on every channel, by generator number, in the
                generator's unit (SoundFont 2.04, section 8.1.2).
            key_shift: semitones; notes are played with keys higher by so many, tuned down by as many. So recordings
                of other notes are played slower or faster, as in a soundfont with few recordings.

        Returns:
            Mono sound, the mean of both channels, float32 (round(seconds * sample_rate),), about -1..1.

        Raises:
            UserError: the soundfont has no such program.
        """
        stereo = np.zeros((2, round(seconds * self.sample_rate)), np.float32)
        synth = self._fluid.new_fluid_synth(self._settings)
        font = self._fluid.synth_add_sfont(synth, self._font)
        for channel in range(_CHANNELS):
            tuned_back = {} if channel == DRUM_CHANNEL else {_COARSE_TUNE: -key_shift}
            for generator, value in {**tuned_back, **(generators or {})}.items():
                self._fluid.synth_set_gen(synth, channel, generator, value)
        try:
            self._play(synth, font, bank, _shifted(events, key_shift), stereo)
        finally:
            self._fluid.synth_remove_sfont(synth, self._font)
            self._fluid.delete_fluid_synth(synth)
        return np.asarray((stereo[0] + stereo[1]) * np.float32(0.5))

    def _play(
        self,
        synth: int,
        font: int,
        bank: int,
        events: Iterable[tuple[float, mido.Message]],
        stereo: np.ndarray,
    ) -> None:
        samples, left, right = stereo.shape[1], stereo[0].ctypes.data, stereo[1].ctypes.data
        write = self._fluid.synth_write_float
        now = 0
        for seconds, message in events:
            time = round(seconds * self.sample_rate)
            if time >= samples:
                break
            if time > now:
                write(synth, time - now, left, now, 1, right, now, 1)
                now = time
            self._send(synth, font, bank, message)
        write(synth, samples - now, left, now, 1, right, now, 1)

    def _send(self, synth: int, font: int, bank: int, message: mido.Message) -> None:
        kind = message.type
        if kind == "note_on" and message.velocity > 0:
            self._fluid.synth_noteon(synth, message.channel, message.note, message.velocity)
        elif kind in ("note_on", "note_off"):
            self._fluid.synth_noteoff(synth, message.channel, message.note)
        elif kind == "program_change":
            bank = _DRUM_BANK if message.channel == DRUM_CHANNEL else bank
            if self._fluid.synth_program_select(synth, message.channel, font, bank, message.program) != 0:
                raise UserError(
                    f"soundfont {self._soundfont.name} has no program {message.program} in bank {bank}; "
                    "choose another soundfont"
                )


def _shifted(events: Iterable[tuple[float, mido.Message]], by: int) -> Iterator[tuple[float, mido.Message]]:
    """Yield events with all notes but drums `by` semitones higher, which must lie in 0..127."""
    for seconds, message in events:
        if message.type in ("note_on", "note_off") and message.channel != DRUM_CHANNEL:
            message = message.copy(note=message.note + by)
        yield seconds, message


def check_sample_rate(sample_rate: int) -> None:
    """Check that FluidSynth can render at a sample rate.

    Raises:
        UserError: it can't.
    """
    if not 8000 <= sample_rate <= 96000:
        raise UserError(f"sample_rate is {sample_rate} Hz; choose 8000..96000 Hz, as FluidSynth can")


def _settings(api: SimpleNamespace, sample_rate: int, effects: bool) -> int:
    settings: int = api.new_fluid_settings()
    api.settings_setnum(settings, b"synth.sample-rate", float(sample_rate))
    api.settings_setint(settings, b"synth.midi-channels", _CHANNELS)
    api.settings_setint(settings, b"synth.lock-memory", 0)
    for effect in (b"synth.reverb.active", b"synth.chorus.active"):
        api.settings_setint(settings, effect, int(effects))
    return settings


def _release(api: SimpleNamespace, synth: int, settings: int) -> None:
    api.delete_fluid_synth(synth)
    api.delete_fluid_settings(settings)
