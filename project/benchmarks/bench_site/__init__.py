"""The product with one route of a site, which access tokens open, for ``./dev bench oauth``."""
