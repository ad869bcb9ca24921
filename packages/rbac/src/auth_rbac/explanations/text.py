"""An explanation as people read it: each way in a few sentences, from who holds what to what it says."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from django.utils.formats import localize
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from auth_rbac.decisions.decision import Reason
from auth_rbac.explanations.explanations import Explanation, Way
from auth_rbac.models import Assignment


def steps(way: Way) -> Iterator[str]:
    """Yield what leads from a person to what was said, and why it does not count if it does not."""
    if way.assignment is not None:
        yield from _held(way, way.assignment)
    elif way.source == "object":
        yield from _given(
            way,
            _("They were given %(said)s for %(scope)s alone."),
            _("The group %(group)s was given %(said)s for %(scope)s alone."),
        )
    else:
        yield from _given(
            way, _("They have %(said)s without any role."), _("The group %(group)s has %(said)s without any role.")
        )
    if way.lacks:
        yield {
            "not_begun": _("It has not begun yet."),
            "over": _("It is over."),
            "elsewhere": _("It holds elsewhere, and not for what was asked."),
        }[way.lacks]


def missing(explanation: Explanation) -> Iterator[str]:
    """Yield what would have to be otherwise for the answer to be yes; nothing where it is."""
    reason = explanation.decision.reason
    if reason is Reason.DENIED:
        yield _("Every denial that counts would have to be taken away, and something would have to allow it.")
    elif reason is Reason.NOTHING:
        yield _("Nothing of it counts now for what was asked.") if explanation.ways else _("Nothing leads there.")
    if explanation.granting_roles:
        yield _("One of these roles would let: %(roles)s.") % {"roles": ", ".join(explanation.granting_roles)}


def _held(way: Way, held: Assignment) -> Iterator[str]:
    whose, since = {"group": way.group, "role": way.roles[0]}, {"since": _moment(held.valid_from)}
    yield (
        _("The group %(group)s holds the role %(role)s.") if way.group else _("They hold the role %(role)s.")
    ) % whose
    if held.scope_type_id is None:
        yield _("It holds everywhere.")
    else:
        yield _("It holds for %(scope)s.") % {"scope": way.scope}
    if held.valid_until is None:
        yield _("Since %(since)s, until it is taken away.") % since
    else:
        yield _("From %(since)s until %(until)s.") % {**since, "until": _moment(held.valid_until)}
    if held.granted_by is not None:
        yield _("Given by %(person)s.") % {"person": held.granted_by}
    if held.reason:
        yield _("Reason: %(reason)s") % {"reason": held.reason}
    for role, parent in pairwise(way.roles):
        yield _("%(role)s says what %(parent)s says.") % {"role": role, "parent": parent}
    allows, denies = _("%(role)s allows %(said)s."), _("%(role)s denies %(said)s, and a denial wins.")
    yield (denies if way.effect == "denies" else allows) % {"role": way.roles[-1], "said": way.said}


def _given(way: Way, person: str, group: str) -> Iterator[str]:
    yield (group if way.group else person) % {"group": way.group, "said": way.said, "scope": way.scope}


def _moment(moment: datetime) -> str:
    return str(localize(localtime(moment) if is_aware(moment) else moment))
