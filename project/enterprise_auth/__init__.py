"""The authentication service that composes the five Enterprise Auth packages."""
