"""`mode=generate`: music from a checkpoint, or from the average of several."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from src.commands.checkpoint import checkpoint_paths, checkpoints_signature, load_all
from src.commands.tested_data import check_classes_and_features, data_config
from src.configuration.build import build_data, task_of
from src.fingerprint import write_json
from src.generation.composing import compose
from src.generation.judging import judge
from src.generation.options import generation_options
from src.generation.roll_data import RollData
from src.generation.writing import write_pieces
from src.libraries import configure_libraries
from src.terminal import line_console


def generate(config: dict[str, Any], overrides: list[str]) -> int:
    """Write pieces as MIDI, sound and picture, and compare them with held-out music.

    Returns:
        The exit code.

    Raises:
        UserError: the checkpoint is no piano-roll generator, or an option does not fit it.
    """
    configure_libraries()
    paths = checkpoint_paths(config["checkpoint"])
    trained = load_all(paths)
    task_of(trained[0].description).check_generates(trained[0])
    options = generation_options(config["generation"])
    chosen = data_config(trained[0], config, overrides)
    data = build_data(chosen)
    check_classes_and_features(trained[0], data, chosen)
    assert isinstance(data, RollData)
    options.length(data.grid)
    data.check()
    data.prepare_data()
    data.setup("test")
    pieces = compose([member.learner for member in trained], data, options, config["seed"])
    folder = Path(config["outputs"]) / "generated" / f"{checkpoints_signature(paths)}-{config['seed']}"
    for earlier in folder.glob("piece_*"):
        earlier.unlink()
    files = write_pieces(pieces, folder, data, options)
    judged = judge(pieces, data, options)
    named = {
        "checkpoints": [str(path) for path in paths],
        "seed": config["seed"],
        "generation": asdict(options),
    }
    write_json(folder / "metrics.json", named | judged)
    _print(judged, folder, len(files))
    return 0


def _print(judged: dict[str, Any], folder: Path, pieces: int) -> None:
    console = line_console()
    if judged["generated"]:
        console.print(f"{'':22}{'generated':>12}{'held out':>12}{'distance':>12}{'Markov':>12}")
    else:
        console.print("too few or too short held-out pieces to compare with")
    for name, value in judged["generated"].items():
        distance = judged["distances"].get(f"{name}_distance")
        markov = judged["markov_distances"].get(f"{name}_distance")
        cells = (value, judged["held_out"].get(name), distance, markov)
        console.print(f"{name:22}" + "".join(f"{'' if x is None else format(x, '.3f'):>12}" for x in cells))
    console.print(f"{pieces} pieces (.mid, .wav, .png) and metrics.json: {folder}")
