"""The JSON API: views parse, call one function, translate."""
