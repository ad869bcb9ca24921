"""The issuers of tokens, elsewhere: their settings, metadata, keys and introspection."""
