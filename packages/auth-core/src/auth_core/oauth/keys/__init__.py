"""Keys that sign tokens: how they are made, published, rotated and found."""
