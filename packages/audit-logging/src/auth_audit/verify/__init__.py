"""Verifies the trail against its tree and its checkpoints."""
