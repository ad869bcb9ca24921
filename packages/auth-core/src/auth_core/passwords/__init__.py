"""The rules for passwords, and the limit on how many are hashed at a time."""
