"""What the token endpoint grants, and the code that the authorization endpoint issues."""
