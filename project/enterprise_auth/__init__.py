"""The authentication service, composed of the five Enterprise Auth packages."""
