"""The metadata document, and where it is.

Source: RFC 9728 sections 2 and 3.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from auth_core.crypto.signature_algorithms import STRONG_ALGORITHMS
from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.issuers.issuer import configured_issuers

WELL_KNOWN = ".well-known/oauth-protected-resource"

#: A resource server has no business with it: it only concerns the client and the issuer.
OFFLINE_ACCESS = "offline_access"


def metadata_path() -> str:
    """Return the path of the document: the well-known one is inserted before the path of the resource."""
    path = urlsplit(resource.RESOURCE).path
    return f"/{WELL_KNOWN}{'' if path == '/' else path}"


def metadata_url() -> str:
    """Return the address of the document, which every challenge names. The Host header decides nothing in it."""
    parts = urlsplit(resource.RESOURCE)
    return f"{parts.scheme}://{parts.netloc}{metadata_path()}" if parts.netloc else ""


def metadata_document() -> Mapping[str, Any]:
    """Return the document. Members without a value are left out."""
    members = {
        "resource": resource.RESOURCE,
        "authorization_servers": list(configured_issuers()),
        "scopes_supported": [name for name in resource.SCOPES if name != OFFLINE_ACCESS],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(STRONG_ALGORITHMS),
        "dpop_bound_access_tokens_required": resource.REQUIRE_DPOP,
        "resource_name": resource.NAME,
        "resource_documentation": resource.DOCUMENTATION,
    }
    return {name: value for name, value in members.items() if value}
