"""Which swept keys matter: how much of the variance of the objective each explains over the space of a sweep."""
