from src.metrics.kinds import UNLIKE_ANY_LOSS, cautions, objectives


def test_losses_are_not_to_be_compared_by_what_one_of_them_minimises():
    assert cautions("nll")["loss"].startswith("Losses are compared by nll")
    assert f"objective={UNLIKE_ANY_LOSS}" in cautions("nll_onsets")["loss"]
    assert UNLIKE_ANY_LOSS in objectives("rolls")
    assert cautions(UNLIKE_ANY_LOSS) == cautions("f1_macro") == {}
