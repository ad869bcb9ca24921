"""The JSON API. A view parses the request, calls one function and translates the result."""
