"""Authentication methods, assurance levels, and the evidence of a session."""
