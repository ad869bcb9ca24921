"""Creating an account, proving an address, changing and resetting a password."""
