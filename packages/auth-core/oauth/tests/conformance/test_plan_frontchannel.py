"""The plan Front-channel logout OP of the OpenID Foundation's conformance suite: each module by its name.

Both modules are expected to fail, see expected_failures.toml. They stand here so that the list notices when one passes.
"""

from typing import Any

import pytest
from relying_party import RelyingParty, metadata

from auth_core.oauth.testing.factories import make_application
from logouts import AFTER, confirmed, logout
from people import browser_of

pytestmark = pytest.mark.django_db


def test_oidcc_frontchannel_logout_discovery_endpoint_verification() -> None:
    """The metadata says that front-channel logout is supported, with sessions."""
    document = metadata()

    assert document.get("frontchannel_logout_supported") is True
    assert document.get("frontchannel_logout_session_supported") is True


def test_oidcc_frontchannel_rp_initiated_logout(alice: Any) -> None:
    """A logout loads the front-channel address of the client in a frame, with issuer and session."""
    rp = RelyingParty(
        make_application(is_first_party=True, post_logout_redirect_uris=AFTER), alice, browser_of(alice), "query"
    )
    hint = rp.flow().body["id_token"]

    page = confirmed(rp.browser, logout(rp.browser, id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert "<iframe" in page.content.decode()
