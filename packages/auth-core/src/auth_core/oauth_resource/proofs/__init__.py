"""DPoP proofs: they are read, compared with a nonce, and bound to a request (RFC 9449)."""
