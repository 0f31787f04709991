"""Single notes of instruments: tables, folds, stored sounds, and mixtures of them."""
