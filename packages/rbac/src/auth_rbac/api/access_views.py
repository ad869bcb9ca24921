"""The views of decisions: may they, why, on what, and who may?"""

from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.administration import Act, check_administrator
from auth_core.api.pagination import page_response
from auth_core.api.shapes import page_of
from auth_core.api.views import ApiView
from auth_core.assurance.evidence import session_of
from auth_core.errors import FieldError, InvalidRequest, NotFound, PermissionRefused
from auth_core.people.lookup import find_by_subject_id, identity_of
from auth_rbac.api.serializers import CheckBody, CheckManyBody, ObjectsFilters, SubjectsFilters
from auth_rbac.api.shapes import DecisionShape, DecisionsShape, ExplanationShape, ObjectShape, SubjectShape
from auth_rbac.api.views import public_id
from auth_rbac.decisions.decision import Decision
from auth_rbac.decisions.decisions import check, check_many
from auth_rbac.decisions.querysets import permitted
from auth_rbac.decisions.subjects import subjects
from auth_rbac.explanations.explanations import Explanation, Way, explain
from auth_rbac.not_found_policy import hidden
from auth_rbac.objects.object_ids import find_objects, model_named, wire_id
from auth_rbac.permission_names import check_known

#: What lets somebody ask about others.
ASKS_ABOUT_OTHERS = "auth_rbac.view_assignment"

_ONLY_READS = "It only reads; what is asked is too long for an address."


class CheckView(ApiView):
    """``POST access/check/``: may I, or may somebody?"""

    bodies = {"post": CheckBody}
    answers = {"post": {200: DecisionShape}}
    context_exempt = _ONLY_READS

    def post(self, request: Request) -> Response:
        """Return the decision."""
        body = CheckBody.parse(request)
        person, obj = _asked(request, body)
        return Response(_seen(request, person, [obj], [check(person, body.permission, obj)])[0].to_json())


class CheckManyView(ApiView):
    """``POST access/check-many/``: the same for a page of objects, by one statement."""

    bodies = {"post": CheckManyBody}
    answers = {"post": {200: DecisionsShape}}
    context_exempt = _ONLY_READS

    def post(self, request: Request) -> Response:
        """Return a decision for each id, in their order."""
        body = CheckManyBody.parse(request)
        person = _person(request, body.user)
        check_known(body.permission)
        objects = find_objects(model_named(body.type), body.ids)
        found = _seen(request, person, objects, check_many(person, body.permission, objects))
        told = [{"id": one, **decision.to_json()} for one, decision in zip(body.ids, found, strict=True)]
        return Response({"decisions": told})


class ExplainView(ApiView):
    """``POST access/explain/``: why, or why not?"""

    bodies = {"post": CheckBody}
    answers = {"post": {200: ExplanationShape}}
    context_exempt = _ONLY_READS

    def post(self, request: Request) -> Response:
        """Return the decision with every way to it; which roles would let is told to whoever sees assignments."""
        body = CheckBody.parse(request)
        person, obj = _asked(request, body)
        explanation = explain(person, body.permission, obj)
        _seen(request, person, [obj], [explanation.decision])
        return Response(explanation_body(explanation, with_roles=bool(check(request.user, ASKS_ABOUT_OTHERS))))


class ObjectsView(ApiView):
    """``GET access/objects/``: on which objects of a kind may I, or may somebody?"""

    filters = ObjectsFilters
    answers = {"get": {200: page_of(ObjectShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of ids."""
        asked = ObjectsFilters.parse_query(request)
        person = _person(request, asked.user)
        check_known(asked.permission)
        rows = permitted(person, asked.permission, model_named(asked.type))
        if person.pk != request.user.pk:
            rows = permitted(request.user, "view", rows)
        return page_response(request, rows, lambda obj: {"id": wire_id(obj)}, ordering="-pk")


class SubjectsView(ApiView):
    """``GET access/subjects/``: who may?"""

    filters = SubjectsFilters
    answers = {"get": {200: page_of(SubjectShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of people."""
        asked = SubjectsFilters.parse_query(request)
        if (asked.type is None) != (asked.id is None):
            raise InvalidRequest(FieldError("id", "required", _("A type and an id, or neither.")))
        obj = None if asked.type is None else find_objects(model_named(asked.type), [asked.id])[0]
        if not check(request.user, ASKS_ABOUT_OTHERS, obj):
            if obj is None or check(request.user, "view", obj):
                raise PermissionRefused
            raise hidden()
        check_administrator(session_of(request), Act.READ)
        check_known(asked.permission)
        people = subjects(asked.permission, obj).select_related("auth_identity")
        return page_response(request, people, lambda person: {"user": public_id(person)}, ordering="-pk")


def explanation_body(explanation: Explanation, *, with_roles: bool) -> dict[str, Any]:
    """Return the ``explanation`` shape."""
    return {
        "permission": explanation.permission,
        "decision": explanation.decision.to_json(),
        "sentence": explanation.sentence,
        "ways": [_way_body(way) for way in explanation.ways],
        "granting_roles": list(explanation.granting_roles) if with_roles else [],
    }


def _way_body(way: Way) -> dict[str, Any]:
    held = way.assignment
    return {
        "effect": way.effect,
        "source": way.source,
        "said": way.said,
        "group": way.group,
        "roles": list(way.roles),
        "assignment": None if held is None else str(held.pk),
        "scope": way.scope,
        "valid_from": None if held is None else held.valid_from,
        "valid_until": None if held is None else held.valid_until,
        "granted_by": None if held is None else public_id(held.granted_by),
        "reason": "" if held is None else held.reason,
        "counts": way.counts,
        "lacks": way.lacks,
    }


def _person(request: Request, subject_id: UUID | None) -> Any:
    """Return whom a request asks about: the caller, unless they may ask about others.

    Raises:
        NotFound: there is nobody of this id, or it is not the caller's business; the two look the same.
        InsufficientUserAuthentication: it is an administrator's business, and they have not proved lately who they are.
    """
    user: Any = request.user
    if subject_id is None or subject_id == identity_of(user).subject_id:
        return user
    if not check(user, ASKS_ABOUT_OTHERS):
        raise hidden()
    check_administrator(session_of(request), Act.READ)
    found = find_by_subject_id(subject_id)
    if found is None:
        raise NotFound
    return found


def _asked(request: Request, body: Any) -> tuple[Any, models.Model | None]:
    """Return whom and what a body asks about."""
    person = _person(request, body.user)
    check_known(body.permission)
    named = body.object
    return person, None if named is None else find_objects(model_named(named["type"], "object.type"), [named["id"]])[0]


def _seen(request: Request, person: Any, objects: list[Any], found: list[Decision]) -> list[Decision]:
    """Return the decisions, if each is about an object that the caller may view or on which they may do this.

    Raises:
        NotFound: one is not; as if it were not there.
    """
    unseen = [
        obj
        for obj, decision in zip(objects, found, strict=True)
        if obj is not None and not (decision.allowed and person.pk == request.user.pk)
    ]
    if not all(check_many(request.user, "view", unseen)):
        raise hidden()
    return found
