"""What a client signs with a key of its own: DPoP proofs, which name a request, and assertions, which name the client."""
