"""Whether a request may pass: its token, its person, and what a view needs."""
