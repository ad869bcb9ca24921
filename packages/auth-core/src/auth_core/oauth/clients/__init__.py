"""Applications: how they are read, and how they authenticate."""
