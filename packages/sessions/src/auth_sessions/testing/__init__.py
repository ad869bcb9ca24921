"""Test helpers for this and other packages. Production code never imports them."""
