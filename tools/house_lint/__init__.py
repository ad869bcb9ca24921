"""House lint rules: mistakes that were made twice, or would be."""
