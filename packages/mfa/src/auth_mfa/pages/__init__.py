"""The pages of second factors, below a person's account."""
