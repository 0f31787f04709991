"""Which sounds are read. A header may claim anything: what lies outside is refused before it costs memory."""

RATES_HZ = range(1_000, 768_001)
MAX_CHANNELS = 64
MAX_HOURS = 24
MAX_AMPLITUDE = 1e6
"""Of full scale; the squares of 1e20 and more are infinite."""

WRONG_RATE = "has a sample rate outside 1 to 768 kHz"
TOO_MANY_CHANNELS = f"has more than {MAX_CHANNELS} channels"
TOO_LONG = f"is longer than {MAX_HOURS} hours"
TOO_LOUD = "has samples of more than a million times full scale"


def out_of_bounds(rate: int, channels: int, samples: float = 0) -> str:
    """Return why a sound is not read; empty if it is.

    Args:
        rate: its sample rate, Hz.
        channels: how many it has.
        samples: of each channel, as far as is known.
    """
    if rate not in RATES_HZ:
        return WRONG_RATE
    if channels > MAX_CHANNELS:
        return TOO_MANY_CHANNELS
    return TOO_LONG if samples > MAX_HOURS * 3600 * rate else ""
