"""Sessions that can be listed, ended and trusted: the row is the truth, Redis its cache."""
