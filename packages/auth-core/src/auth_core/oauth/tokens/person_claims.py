"""The claims about a person that an application gets.

Source: OpenID Connect Core sections 5.4 and 5.5.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from auth_core.oauth.registries import all_claims, all_scopes
from auth_core.users import UserLike

#: Where the parameter ``claims`` may ask for something.
USERINFO, ID_TOKEN = "userinfo", "id_token"


def claims_of_person(
    user: UserLike, scopes: Sequence[str], requested: Mapping[str, Any], *, member: str
) -> dict[str, Any]:
    """Return the claims that *scopes* open, and those that were requested by name. What is not known is left out.

    Args:
        requested: The parameter ``claims`` of the request.
        member: `USERINFO` or `ID_TOKEN`. Scopes open claims at userinfo alone, because the client also gets an access token.
    """
    available, by_scope = all_claims(), all_scopes()
    names = (
        [name for scope in scopes if scope in by_scope for name in by_scope[scope].claims] if member == USERINFO else []
    )
    by_name = requested.get(member)
    if isinstance(by_name, Mapping):
        names += [name for name in by_name if name in available and available[name].is_granted_by_name]
    values = {name: available[name].value(user) for name in dict.fromkeys(names) if name in available}
    return {name: value for name, value in values.items() if value is not None}
