"""Seals entries into a Merkle tree, and signs its checkpoints."""
