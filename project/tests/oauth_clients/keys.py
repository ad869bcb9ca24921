"""The key of a client that authenticates with it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from joserfc.jwk import ECKey


@dataclass
class ClientKey:
    """A private key of an application.

    Args:
        folder: Where its public half is written for the registration.
    """

    folder: Path
    private: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = ECKey.generate_key("P-256")
        named = {"kid": str(key.thumbprint()), "alg": "ES256", "use": "sig"}
        # A private key for Web Crypto, which compares its operations with those that are asked for.
        self.private = json.dumps({**key.as_dict(private=True), "kid": named["kid"]})
        self.file = self.folder / "keys.json"
        self.file.write_text(json.dumps({"keys": [{**key.as_dict(private=False), **named}]}))
