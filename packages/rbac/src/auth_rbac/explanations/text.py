"""An explanation in sentences: each path, from the assignment to the permission."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from django.utils.formats import localize
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from auth_rbac.decisions.decision import DecisionReason
from auth_rbac.explanations.explanations import Explanation, GrantPath
from auth_rbac.models import Assignment, HolderKind


def steps(path: GrantPath) -> Iterator[str]:
    """Yield the steps from a person or a service to the permission, and why the path does not count."""
    if path.assignment is not None:
        yield from _assignment_steps(path, path.assignment)
    elif path.source == "object":
        yield from _direct_step(
            path,
            _("They have the permission %(statement)s for %(scope)s, without a role."),
            _("The group %(group)s has the permission %(statement)s for %(scope)s, without a role."),
        )
    else:
        yield from _direct_step(
            path,
            _("They have the permission %(statement)s, without a role."),
            _("The group %(group)s has the permission %(statement)s, without a role."),
        )
    if path.lacks:
        yield {
            "not_begun": _("It is not in force yet."),
            "over": _("It has ended."),
            "elsewhere": _("It applies to another scope."),
        }[path.lacks]


def missing(explanation: Explanation) -> Iterator[str]:
    """Yield what would have to change for the permission to be allowed. Yield nothing if it is allowed."""
    reason = explanation.decision.reason
    if reason is DecisionReason.DENIED:
        yield _("Remove every denial that is in force, and grant the permission.")
    elif reason is DecisionReason.NOTHING:
        yield _("Nothing listed here is in force for this request.") if explanation.paths else _("Nothing grants it.")
    if explanation.granting_roles:
        yield _("Any of these roles would grant it: %(roles)s.") % {"roles": ", ".join(explanation.granting_roles)}


def _assignment_steps(path: GrantPath, assignment: Assignment) -> Iterator[str]:
    holder, since = {"group": path.group, "role": path.roles[0]}, {"since": _moment(assignment.valid_from)}
    has_role = {
        HolderKind.PERSON: _("They have the role %(role)s."),
        HolderKind.GROUP: _("The group %(group)s has the role %(role)s."),
        HolderKind.SERVICE: _("The service has the role %(role)s."),
    }
    yield has_role[path.holder.kind] % holder
    if assignment.scope_type_id is None:
        yield _("It applies everywhere.")
    else:
        yield _("It applies to %(scope)s.") % {"scope": path.scope}
    if assignment.valid_until is None:
        yield _("Since %(since)s, until revoked.") % since
    else:
        yield _("From %(since)s until %(until)s.") % {**since, "until": _moment(assignment.valid_until)}
    if assignment.granted_by is not None:
        yield _("Granted by %(person)s.") % {"person": assignment.granted_by}
    if assignment.reason:
        yield _("Reason: %(reason)s") % {"reason": assignment.reason}
    for role, parent in pairwise(path.roles):
        yield _("%(role)s inherits from %(parent)s.") % {"role": role, "parent": parent}
    allows, denies = (
        _("%(role)s allows %(statement)s."),
        _("%(role)s denies %(statement)s. A denial overrides every permission."),
    )
    yield (denies if path.effect == "denies" else allows) % {"role": path.roles[-1], "statement": path.statement}


def _direct_step(path: GrantPath, person: str, group: str) -> Iterator[str]:
    yield (group if path.group else person) % {"group": path.group, "statement": path.statement, "scope": path.scope}


def _moment(moment: datetime) -> str:
    return str(localize(localtime(moment) if is_aware(moment) else moment))
