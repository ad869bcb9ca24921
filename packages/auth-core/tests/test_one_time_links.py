"""Links that are mailed and work once: their tokens, their lifetimes and their end."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_core.conf import core
from auth_core.crypto.secrets import digest
from auth_core.errors import LinkInvalid
from auth_core.models import BootstrapLink, EmailVerification, Invitation, ResetLink
from auth_core.models.one_time_link import OneTimeLink, delete_expired_links
from auth_core.testing.clock import Clock

pytestmark = pytest.mark.django_db

LIFETIMES = {
    EmailVerification: "SIGNUP_LIFETIME",
    ResetLink: "RESET_LIFETIME",
    Invitation: "INVITATION_LIFETIME",
    BootstrapLink: "BOOTSTRAP_LIFETIME",
}


@pytest.mark.parametrize("kind", LIFETIMES, ids=lambda kind: kind.__name__)
def test_a_link_is_found_by_its_token_during_its_lifetime(kind: Any, clock: Clock) -> None:
    link = kind.objects.open()

    assert (kind.objects.find(link.token), kind.objects.find(link.token).token) == (link, link.token)
    assert link.expires_at - timezone.now() == kind.lifetime() == getattr(core, LIFETIMES[kind])
    clock.forward(seconds=kind.lifetime().total_seconds())
    with pytest.raises(LinkInvalid):
        kind.objects.find(link.token)


def test_the_prefixes_tell_the_kinds_apart() -> None:
    """They are in links that were mailed, and secret scanners know them."""
    assert [kind.prefix for kind in LIFETIMES] == ["elv", "elr", "eli", "elf"]


def test_only_the_digest_of_a_token_is_stored() -> None:
    link = Invitation.objects.open()

    stored = Invitation.objects.get()
    assert (stored.token, stored.token_digest) == ("", digest(link.token))
    assert str(stored) == str(link.pk)


def test_a_kind_must_state_its_lifetime() -> None:
    with pytest.raises(NotImplementedError):
        OneTimeLink.lifetime()


def test_links_of_all_kinds_are_deleted_a_day_after_they_expired(clock: Clock) -> None:
    for kind in LIFETIMES:
        kind.objects.open()
    ends = max(kind.lifetime() for kind in LIFETIMES) + timedelta(days=1)
    clock.forward(seconds=ends.total_seconds())
    old = delete_expired_links()
    clock.forward(seconds=1)

    assert (old, delete_expired_links()) == (len(LIFETIMES) - 1, 1)
