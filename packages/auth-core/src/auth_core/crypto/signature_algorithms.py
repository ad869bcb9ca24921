"""The algorithms of signatures that resource servers and the provider know. Does not use Django.

Source: RFC 7518, RFC 8037.
"""

#: In the order in which discovery lists them. ``none`` and HS256 are not here, so no code can use them.
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")

#: The algorithms of DPoP proofs, and of everything that is signed under the profile `high` (FAPI 2.0 section 5.4).
STRONG_ALGORITHMS = ("PS256", "ES256", "EdDSA")
