"""The pages of the provider: authorization, consent, logout, and what a person has authorized."""
