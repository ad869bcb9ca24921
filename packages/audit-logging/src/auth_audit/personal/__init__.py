"""Encrypts the personal values of an entry under keys that can be dropped, reads them, and finds them by address."""
