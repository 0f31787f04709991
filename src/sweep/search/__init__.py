"""Which trials a sweep runs, where it does not run all combinations: a search proposes one after another."""
