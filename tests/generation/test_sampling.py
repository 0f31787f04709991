import pytest
import torch
from scipy.stats import binom

from src.errors import UserError
from src.generation.sampling import draw, sample
from src.models.networks.lstm import LSTM
from src.models.networks.roll_base import RollNetwork
from src.models.networks.tcn import TCN
from tests.generation.tiny_music import Fixed, generation

DRAWS = 20_000
KEYS = [0.3, 0.08, 0.6, 0.02]


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def draws(probabilities, n_notes=None, **options):
    """The same probabilities, drawn from many times: (DRAWS, C)."""
    rows = torch.tensor(probabilities, dtype=torch.float64).expand(DRAWS, -1)
    return draw(rows, generation(**options), seeded(), n_notes or len(probabilities))


def assert_frequencies(drawn, expected):
    """Within what chance allows once in 10^5."""
    for count, probability in zip(drawn.sum(0).tolist(), expected, strict=True):
        low, high = binom.interval(1 - 1e-5, len(drawn), probability)
        assert low <= count <= high, (count / len(drawn), probability)


def test_keys_sound_as_often_as_their_probability_says():
    assert_frequencies(draws(KEYS), KEYS)


def test_keys_are_drawn_apart():
    drawn = draws([0.5, 0.4, 0.3])
    assert_frequencies((drawn[:, :1] & drawn[:, 1:2]), [0.2])
    assert_frequencies(drawn.all(1, keepdim=True), [0.06])


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_divides_the_logits(temperature):
    odds = [(p / (1 - p)) ** (1 / temperature) for p in KEYS]
    assert_frequencies(draws(KEYS, temperature=temperature), [o / (1 + o) for o in odds])


def test_temperature_leaves_what_is_certain():
    assert_frequencies(draws([0.0, 1.0, 0.5], temperature=0.3), [0.0, 1.0, 0.5])


def test_top_k_keeps_the_likeliest():
    assert_frequencies(draws(KEYS, top_k=2), [0.3, 0, 0.6, 0])


def test_top_k_of_more_keys_than_there_are_keeps_all():
    assert_frequencies(draws(KEYS, top_k=9), KEYS)


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [(0.5, [0, 0, 0.6, 0]), (0.7, [0.3, 0, 0.6, 0]), (0.95, [0.3, 0.08, 0.6, 0]), (1, KEYS)],
)
def test_nucleus_is_the_fewest_likely_keys_that_have_the_share(top_p, expected):
    assert_frequencies(draws(KEYS, top_p=top_p), expected)


def test_nucleus_is_a_share_of_the_sum_of_all_keys():
    # Of 1.6 in all, 0.9 and 0.5 have 87 %.
    assert_frequencies(draws([0.5, 0.9, 0.2], top_p=0.8), [0.5, 0.9, 0])


def test_nucleus_is_of_tempered_probabilities():
    # At temperature 2, odds 9 and 1/9 become 3 and 1/3: the likelier key has 75 % instead of 90 %.
    assert_frequencies(draws([0.1, 0.9], top_p=0.8), [0, 0.9])
    assert_frequencies(draws([0.1, 0.9], top_p=0.8, temperature=2), [0.25, 0.75])


def test_keys_and_onsets_have_their_probabilities():
    drawn = draws([0.6, 0.2, 0.9, 0.4, 0.2, 0.05], n_notes=3)
    assert_frequencies(drawn, [0.6, 0.2, 0.9, 0.4, 0.2, 0.05])


def test_onsets_are_only_where_the_key_sounds():
    drawn = draws([0.1, 0.5, 0.0, 0.9, 0.5, 0.9], n_notes=3)
    assert not (drawn[:, 3:] & ~drawn[:, :3]).any()
    assert drawn[:, 3:].any()


def test_keys_that_are_left_out_or_likelier_by_temperature_take_their_onsets_along():
    drawn = draws([0.9, 0.1, 0.45, 0.1], n_notes=2, temperature=0.5, top_k=1)
    sounds = 81 / 82
    assert_frequencies(drawn, [sounds, 0, sounds / 2, 0])


def test_a_threshold_draws_nothing():
    probabilities = torch.tensor([[0.2, 0.5, 0.51, 0.9]], dtype=torch.float64)
    options = generation(threshold=0.5)
    first, second = (draw(probabilities, options, seeded(seed), 4) for seed in (1, 2))
    assert first.tolist() == second.tolist() == [[False, False, True, True]]


def test_a_threshold_gives_onsets_only_where_the_key_sounds():
    probabilities = torch.tensor([[0.2, 0.8, 0.9, 0.9]], dtype=torch.float64)
    drawn = draw(probabilities, generation(threshold=0.5), seeded(), 2)
    assert drawn.tolist() == [[False, True, False, True]]


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_from_silence_the_first_column_sounds(threshold):
    network, silence = Fixed([0.01, 0.02, 0.01]), torch.zeros(50, 1, 3, dtype=torch.bool)
    rolls = sample([network], silence, 4, generation(threshold=threshold), seeded(), 3)
    assert rolls[:, 0].any(1).all()
    assert not rolls[:, 1:].any((1, 2)).all()


def test_from_silence_columns_are_drawn_given_that_they_sound():
    rolls = sample(
        [Fixed([0.1, 0.2])], torch.zeros(DRAWS, 1, 2, dtype=torch.bool), 1, generation(), seeded(), 2
    )
    assert_frequencies(rolls[:, 0], [0.1 / 0.28, 0.2 / 0.28])


def test_where_nothing_is_ever_drawn_the_likeliest_key_is_struck():
    rolls = sample(
        [Fixed([0.0, 1e-12, 0.0, 0.0])], torch.zeros(2, 1, 4, dtype=torch.bool), 1, generation(), seeded(), 2
    )
    assert rolls[:, 0].tolist() == [[False, True, False, True]] * 2


def test_only_pieces_that_begin_with_silence_must_sound():
    start = torch.zeros(2, 3, 2, dtype=torch.bool)
    start[1, 0, 0] = True
    rolls = sample([Fixed([0.0, 1e-12])], start, 1, generation(), seeded(), 2)
    assert rolls[:, 0].tolist() == [[False, True], [False, False]]


def test_networks_are_averaged_as_probabilities():
    # 0.64 in the mean; the mean logit would be 0.82.
    networks, start = [Fixed([0.98]), Fixed([0.3])], torch.ones(1, 1, 1, dtype=torch.bool)
    for threshold, expected in ((0.63, True), (0.65, False)):
        rolls = sample(networks, start, 1, generation(threshold=threshold), seeded(), 1)
        assert rolls.item() is expected


class Recomputed(RollNetwork):
    """Reads all columns again at each step."""

    def __init__(self, network):
        super().__init__(network.n_keys)
        self.network = network

    def forward(self, x):
        return self.network(x)


def rolls_of(network, seed=1):
    torch.manual_seed(0)
    start = torch.rand(3, 5, 6) < 0.3
    with torch.inference_mode():
        return sample([network], start, 30, generation(), seeded(seed), 6)


@pytest.mark.parametrize("make", [LSTM, TCN])
def test_sampling_step_by_step_is_sampling_with_all_columns(make):
    torch.manual_seed(1)
    network = make(6, lags=[4, 8]).eval()
    # Far from the bias that keeps all keys off, so that what was drawn matters.
    torch.nn.init.normal_(network.output.weight, std=2)
    rolls = rolls_of(network)
    assert torch.equal(rolls, rolls_of(Recomputed(network)))
    assert rolls.any(2).float().mean() > 0.2


def test_the_same_seed_gives_the_same_pieces():
    network = Fixed([0.4] * 6)
    assert torch.equal(rolls_of(network), rolls_of(network))
    assert not torch.equal(rolls_of(network), rolls_of(network, seed=2))


def test_rolls_are_the_new_columns():
    rolls = rolls_of(Fixed([0.4] * 6))
    assert rolls.shape == (3, 30, 6)
    assert rolls.dtype == torch.bool


def test_outputs_that_are_no_numbers_are_silence():
    drawn = draws([float("nan"), 1.0, float("nan"), float("nan")], n_notes=2, temperature=0.5)
    assert_frequencies(drawn, [0, 1, 0, 0])


def test_answers_that_are_no_numbers_are_not_drawn_from():
    network = Fixed([torch.nan, 0.5])
    with pytest.raises(UserError, match="not all finite numbers; take another checkpoint"):
        sample([network], torch.ones(1, 1, 2), 2, generation(), seeded(), 2)
