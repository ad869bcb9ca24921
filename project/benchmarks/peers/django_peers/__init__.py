"""One site with the Django peers. ``PEER`` selects which of them it serves."""
