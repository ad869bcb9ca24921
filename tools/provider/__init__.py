"""What the OAuth provider must do, the tests of each row, and the generated page."""
