"""Access tokens: their form, their signatures and their claims. Nothing here asks another service."""
