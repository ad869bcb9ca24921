"""Identity, login and the mechanisms every Enterprise Auth package shares."""
