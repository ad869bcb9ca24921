"""Logout: a client asks for it, the end of a session ends what it gave, and clients hear of it."""
