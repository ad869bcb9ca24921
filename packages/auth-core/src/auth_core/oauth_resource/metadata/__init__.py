"""The metadata of this resource server (RFC 9728)."""
