"""The protocol: the request, the exchange of the code, the metadata, and ID tokens."""
