"""Second factors for Django."""
