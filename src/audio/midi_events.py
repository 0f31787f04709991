"""The events of standard MIDI files that rolls are made of, written so that every reader reads them alike."""

from collections.abc import Iterator

from mido.midifiles.meta import encode_variable_int

_META, _SYSEX, _ESCAPE = 0xFF, 0xF0, 0xF7
_TEMPO, _END_OF_TRACK = 0x51, 0x2F
_TEMPO_BYTES = 3
_DATA_BYTES = {**dict.fromkeys((0x80, 0x90, 0xA0, 0xB0, 0xE0), 2), 0xC0: 1, 0xD0: 1}
"""That follow the status of a channel's message."""
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Likewise for the other messages; 0 where not named."""


def has_system_messages(data: bytes) -> bool:
    """Return whether a file may have system exclusive events or other system messages: a byte looks like one."""
    return any(status in data for status in range(_SYSEX, _META))


def plain_events(data: bytes) -> bytes:
    """Return a MIDI file with its channel messages, tempi and ends of tracks only, each with its own status byte.

    All keep their times. Running status goes on after a system message or a meta event, as many programs write it,
    and the bytes of an F7 event are counted by its length (Standard MIDI Files 1.0): symusic does neither, and mido
    not the first. What mido refuses, such as an impossible key signature, is gone.

    Raises:
        ValueError: a track ends within an event, or has data without a status.
    """
    place = 8 + int.from_bytes(data[4:8], "big")
    chunks = [data[:place]]
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
        place += 8
        if name == b"MTrk":
            track = b"".join(_kept(_Bytes(data[place : place + size], size)))
            chunks.append(name + len(track).to_bytes(4, "big") + track)
        place += size
    return b"".join(chunks)


class _Bytes:
    """The bytes of a track, read one after another."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data, self.size, self.place = data, size, 0

    def take(self, count: int) -> bytes:
        """Read some bytes; raise ValueError where the track has fewer left."""
        taken = self.data[self.place : self.place + count]
        if len(taken) < count:
            raise ValueError("a track ends within an event")
        self.place += count
        return taken

    def number(self) -> int:
        """Read a number of which each byte but the last has its first bit set."""
        value, more = 0, True
        while more:
            (byte,) = self.take(1)
            value, more = value << 7 | byte & 0x7F, byte >= 0x80
        return value


def _kept(track: _Bytes) -> Iterator[bytes]:
    """Yield the events that are kept, each after the time since the last one of them."""
    ticks = 0
    running = 0
    while track.place < track.size:
        ticks += track.number()
        (status,) = track.take(1)
        if status < 0x80:
            status = running
            track.place -= 1
        event = b""
        if status in (_SYSEX, _ESCAPE):
            track.take(track.number())
        elif status == _META:
            event = _meta(track)
        elif status > _SYSEX:
            track.take(_SYSTEM_BYTES.get(status, 0))
        elif status:
            running = status
            event = bytes([status]) + track.take(_DATA_BYTES[status & 0xF0])
        else:
            raise ValueError("a track has data without a status")
        if event:
            yield bytes(encode_variable_int(ticks)) + event
            ticks = 0


def _meta(track: _Bytes) -> bytes:
    (kind,) = track.take(1)
    content = track.take(track.number())
    kept = kind == _END_OF_TRACK or (kind == _TEMPO and len(content) == _TEMPO_BYTES)
    return bytes([_META, kind, len(content)]) + content if kept else b""
