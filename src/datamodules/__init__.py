"""One data set a file: where its files lie, how its items look, how it splits."""
