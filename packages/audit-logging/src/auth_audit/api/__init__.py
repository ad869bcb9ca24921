"""The JSON API of the trail."""
