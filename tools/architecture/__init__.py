"""Figures and pictures of how the source is laid out."""
