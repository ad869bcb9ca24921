"""Authentication methods, assurance levels, and the evidence that a session has of them."""
