"""Seals entries into a Merkle tree, and signs checkpoints of it."""
