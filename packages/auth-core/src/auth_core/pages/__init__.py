"""Pages for people: plain HTML that needs no script, over the same functions as the API."""
