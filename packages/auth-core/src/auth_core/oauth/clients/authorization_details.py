"""Authorization details: what a client asks for beside scopes, such as one payment.

A client writes them, people read them, and each token carries them. So they are bounded, and every member is known.

Source: RFC 9396 sections 2, 5, 6 and 9.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.clients.scopes import canonical
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidAuthorizationDetails, InvalidTarget
from auth_core.oauth.registries import all_detail_types
from auth_core.request.json_objects import without_duplicates
from auth_core.text import Pattern

#: The longest parameter, and the longest text in it, in characters. A token of at most 8 KiB carries them.
LONGEST, _LONGEST_TEXT = 2048, 256

#: Most details of one request, most members of all of them together, and how deep they may be nested.
_MOST, _MOST_MEMBERS, _DEEPEST = 8, 128, 4

#: The longest name of a type, in characters.
LONGEST_TYPE = 128
_TYPE = Pattern(r"[A-Za-z0-9_.:/#-]+", at_most=LONGEST_TYPE)

#: The fields that every type may have (section 2.2). Those with a list are narrowed by a shorter one.
_LISTS = ("locations", "actions", "datatypes", "privileges")
_COMMON = frozenset({"type", "identifier", *_LISTS})


def is_type(name: str) -> bool:
    """Return whether *name* can be a type."""
    return _TYPE.fullmatch(name) is not None


def parse_details(text: str) -> list[dict[str, Any]]:
    """Return the parameter ``authorization_details``, bounded. An empty one has none.

    Raises:
        InvalidAuthorizationDetails: it is no JSON list of objects with a type, or too large.
    """
    if not text:
        return []
    if len(text) > LONGEST:
        raise InvalidAuthorizationDetails("The authorization details are too long.")
    try:
        details = json.loads(text, object_pairs_hook=without_duplicates, parse_constant=_refuse, parse_float=_refuse)
    except (ValueError, RecursionError) as problem:
        raise InvalidAuthorizationDetails("The authorization details are not JSON.") from problem
    if not isinstance(details, list) or not 0 < len(details) <= _MOST:
        raise InvalidAuthorizationDetails("The authorization details are not a list of a usual size.")
    if not all(isinstance(each, dict) and isinstance(each.get("type"), str) for each in details):
        raise InvalidAuthorizationDetails("Each of the authorization details is an object with a type.")
    if sum(1 for _part in _parts(details)) > _MOST_MEMBERS:
        raise InvalidAuthorizationDetails("The authorization details have too many members.")
    return [each for number, each in enumerate(details) if each not in details[:number]]


def details_for_person(
    application: RegisteredApplication, details: Sequence[Mapping[str, Any]], resources: Collection[str]
) -> None:
    """Check the details that *application* asks a person for.

    Args:
        resources: URIs that the request names, in canonical form. A location is one of them, or the issuer.

    Raises:
        InvalidAuthorizationDetails: a type is unknown or not allowed to the application, or details break its rules.
    """
    types = all_detail_types()
    for each in details:
        type_ = types.get(each["type"])
        if type_ is None or each["type"] not in application.authorization_details_types:
            raise InvalidAuthorizationDetails("A type of the authorization details is unknown, or not for this client.")
        if not each.keys() <= _COMMON | type_.fields or not _has_common_shape(each) or not type_.is_valid(each):
            raise InvalidAuthorizationDetails("The authorization details are not valid for their type.")
        if not _locations(each) <= {*resources, oauth.issuer}:
            raise InvalidAuthorizationDetails("A location is no resource that the request names.")


def narrowed_details(granted: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return *wanted*, or *granted* if nothing was asked for (section 6).

    Raises:
        InvalidAuthorizationDetails: it asks for more than was granted.
    """
    if not all(any(_is_within(each, whole) for whole in granted) for each in wanted):
        raise InvalidAuthorizationDetails
    return [dict(each) for each in wanted or granted]


def details_for_audience(details: Iterable[Mapping[str, Any]], audience: Collection[str]) -> list[dict[str, Any]]:
    """Return the details that a token for *audience* has: those without a location, and those of a location in it."""
    return [dict(each) for each in details if not _locations(each) or _locations(each) & set(audience)]


def types_of(details: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the types of the details, for the trail. What they say may be personal."""
    return sorted({str(each["type"]) for each in details})


def sentences_of(details: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what people read about each of the details, in the current language."""
    return [_sentence(each) for each in details]


def _sentence(detail: Mapping[str, Any]) -> str:
    type_ = all_detail_types().get(detail["type"])
    if type_ is not None and type_.describe is not None:
        return type_.describe(detail)
    sentence = detail["type"] if type_ is None else str(type_.sentence)
    values = "; ".join(f"{_label(name)}: {_words(detail[name])}" for name in sorted(detail.keys() - {"type"}))
    return f"{sentence} ({values})" if values else sentence


def _label(name: str) -> str:
    labels = {
        "locations": _("at"),
        "actions": _("actions"),
        "datatypes": _("data"),
        "privileges": _("privileges"),
        "identifier": _("for"),
    }
    return labels.get(name, name)


def _words(value: Any) -> str:
    """Return a value of the details as people read it. Nothing of it is left out, because all of it is granted."""
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    return value if isinstance(value, str) else json.dumps(value)


def _is_within(wanted: Mapping[str, Any], granted: Mapping[str, Any]) -> bool:
    """Return whether *wanted* is *granted* or less: with the same members, and lists of the common fields that are shorter.

    A member that is left out would be no limit any more.
    """
    if wanted.keys() != granted.keys():
        return False
    return all(
        wanted[name] == granted[name] or (name in _LISTS and _is_shorter(wanted[name], granted[name]))
        for name in granted
    )


def _is_shorter(wanted: Any, granted: Any) -> bool:
    return isinstance(wanted, list) and bool(wanted) and all(each in granted for each in wanted)


def _has_common_shape(detail: Mapping[str, Any]) -> bool:
    texts = [detail.get("identifier", "-"), *(each for name in _LISTS for each in _texts(detail.get(name, ["-"])))]
    return all(isinstance(each, str) and each for each in texts)


def _texts(value: Any) -> list[Any]:
    """Return the members of a list. Anything else has one that is no text."""
    return value if isinstance(value, list) and value else [None]


def _locations(detail: Mapping[str, Any]) -> set[str]:
    """Return the locations in canonical form.

    Raises:
        InvalidAuthorizationDetails: one is no absolute URI.
    """
    try:
        return set(map(canonical, detail.get("locations", ())))
    except InvalidTarget as problem:
        raise InvalidAuthorizationDetails("A location is no absolute URI.") from problem


def _parts(value: Any, depth: int = 0) -> Iterator[None]:
    """Yield once for each value and each name. Refuse those that are too deep, too long, or not printable.

    Raises:
        InvalidAuthorizationDetails: one is.
    """
    yield None
    if isinstance(value, dict | list):
        if depth == _DEEPEST:
            raise InvalidAuthorizationDetails("The authorization details are nested too deeply.")
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _parts(each, depth + 1)
    elif isinstance(value, str) and not (value.isprintable() and len(value) <= _LONGEST_TEXT):
        raise InvalidAuthorizationDetails("A text in the authorization details is too long, or not of one line.")


def _refuse(text: str) -> Any:
    """Refuse a number that parsers read in different ways. An amount is a text."""
    raise ValueError(text)
