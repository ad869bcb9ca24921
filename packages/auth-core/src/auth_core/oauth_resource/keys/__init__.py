"""The public keys of others: one key, a set of them, and the sets that this process keeps."""
