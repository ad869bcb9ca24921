"""Access tokens at the API of the site."""
