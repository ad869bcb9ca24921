"""HTML pages over the same functions as the API. They need no script."""
