"""The pages of second factors, below the account page."""
