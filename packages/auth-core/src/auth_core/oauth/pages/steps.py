"""The pages on which a person does what a request still needs. Each leads back."""

from django.urls import reverse
from django.utils.http import urlencode

from auth_core.assurance.evidence import SessionFacts
from auth_core.assurance.levels import Assurance
from auth_core.oauth.authorization.details import Details
from auth_core.oauth.authorization.steps import missing_level
from auth_core.users import UserLike


def login_page(*, back: str, hint: str = "", is_other: bool = False) -> str:
    """Return the page on which a person signs in.

    Args:
        back: Where it leads afterwards.
        hint: The identifier that the client expects.
        is_other: Whether another person shall sign in than the one who has.
    """
    query = {"next": back}
    if hint:
        query["login_hint"] = hint[:320]
    if is_other:
        query["other"] = "1"
    return f"{reverse('core-pages:login')}?{urlencode(query)}"


def proof_page(details: Details, user: UserLike, session: SessionFacts, *, back: str, is_more: bool) -> str:
    """Return the page on which a person proves something again, or more than before.

    Args:
        back: Where it leads afterwards.
        is_more: Whether they have to reach a higher level.
    """
    query = {"next": back}
    level = missing_level(details, user, session) if is_more else None
    # The page asks for the best that a person has. Whether a key reaches the third level shows only its use.
    if level is not None and level < Assurance.AAL3:
        query["assurance"] = level.acr
    return f"{reverse('core-pages:again')}?{urlencode(query)}"
