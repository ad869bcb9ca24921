"""Helpers for tests of sites with second factors. Running code never imports them."""
