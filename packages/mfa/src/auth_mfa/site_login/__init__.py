"""The second factor after a login by a site's own view."""
