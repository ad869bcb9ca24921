"""Known defects to plant on purpose, each with the test that must catch it."""
