"""The views of decisions: who has which permission, for what, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db import models, router
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.administration import Act, check_administrator
from auth_core.api.answers import page_of
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView
from auth_core.assurance.evidence import session_of
from auth_core.errors import FieldError, InvalidRequest, NotFound, PermissionRefused
from auth_core.people.lookup import identity_of
from auth_rbac.api.answers import DecisionShape, DecisionsShape, ExplanationShape, ObjectShape, SubjectShape
from auth_rbac.api.bodies import CheckBody, CheckManyBody, ObjectsFilters, SubjectsFilters, named_holder
from auth_rbac.decisions.decision import Decision
from auth_rbac.decisions.decisions import check, check_existing, check_many
from auth_rbac.decisions.querysets import permitted
from auth_rbac.decisions.subjects import services_with, subjects
from auth_rbac.explanations.explanations import Explanation, GrantPath, explain
from auth_rbac.holders.lookup import find_holder, holder_of, public_id
from auth_rbac.holders.service_subject import Subject
from auth_rbac.models import Holder, HolderKind
from auth_rbac.not_found_policy import hidden
from auth_rbac.objects.object_ids import find_objects, model_named, plain_keys, wire_id
from auth_rbac.permission_names import check_known

#: The permission to ask about other people, and about services.
ASKS_ABOUT_OTHERS = "auth_rbac.view_assignment"

_ONLY_READS = "It only reads. The request has a body because it can be too long for a URL."


class CheckView(ApiView):
    """``POST access/check/``: decide whether the caller, another person or a service has a permission."""

    bodies = {"post": CheckBody}
    answers = {"post": {200: DecisionShape}}
    context_exempt = _ONLY_READS

    def post(self, request: Request) -> Response:
        """Return the decision."""
        body = CheckBody.parse(request)
        subject = _subject(request, body.subject)
        check_known(body.permission)
        if body.object is None:
            return Response(check(subject, body.permission).to_json())
        model = model_named(body.object["type"], "object.type")
        (decision,) = _decide(request, subject, body.permission, model, [body.object["id"]])
        return Response(decision.to_json())


class CheckManyView(ApiView):
    """``POST access/check-many/``: decide for a page of objects, with one query."""

    bodies = {"post": CheckManyBody}
    answers = {"post": {200: DecisionsShape}}
    context_exempt = _ONLY_READS

    def post(self, request: Request) -> Response:
        """Return a decision for each id, in the same order."""
        body = CheckManyBody.parse(request)
        subject = _subject(request, body.subject)
        check_known(body.permission)
        decisions = _decide(request, subject, body.permission, model_named(body.type), body.ids)
        bodies = [{"id": each, **decision.to_json()} for each, decision in zip(body.ids, decisions, strict=True)]
        return Response({"decisions": bodies})


class ExplainView(ApiView):
    """``POST access/explain/``: explain a decision."""

    bodies = {"post": CheckBody}
    answers = {"post": {200: ExplanationShape}}
    context_exempt = _ONLY_READS

    def post(self, request: Request) -> Response:
        """Return the decision with every path to it. Only people who may see assignments see the granting roles."""
        body = CheckBody.parse(request)
        subject, obj = _subject_and_object(request, body)
        explanation = explain(subject, body.permission, obj)
        _require_visible(request, subject, [obj], [explanation.decision])
        return Response(explanation_body(explanation, with_roles=bool(check(request.user, ASKS_ABOUT_OTHERS))))


class ObjectsView(ApiView):
    """``GET access/objects/``: list the objects of a kind for which a person or a service has a permission."""

    filters = ObjectsFilters
    answers = {"get": {200: page_of(ObjectShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of ids."""
        filters = ObjectsFilters.parse_query(request)
        if filters.subject_kind is not None and filters.subject is None:
            raise InvalidRequest(FieldError("subject", "required", _("Enter an id together with the kind.")))
        subject = _subject(request, named_holder(filters.subject_kind, filters.subject, "subject_kind"))
        check_known(filters.permission)
        rows = permitted(subject, filters.permission, model_named(filters.type))
        if subject != request.user:
            rows = permitted(request.user, "view", rows)
        return page_response(request, rows, lambda obj: {"id": wire_id(obj)}, ordering="-pk")


class SubjectsView(ApiView):
    """``GET access/subjects/``: list the people, or the services, that have a permission."""

    filters = SubjectsFilters
    answers = {"get": {200: page_of(SubjectShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of people or of services."""
        filters = SubjectsFilters.parse_query(request)
        if (filters.type is None) != (filters.id is None):
            raise InvalidRequest(FieldError("id", "required", _("Enter both a type and an id, or neither.")))
        obj = None
        if filters.type is not None and filters.id is not None:
            obj = find_objects(model_named(filters.type), [filters.id])[0]
        if not check(request.user, ASKS_ABOUT_OTHERS, obj):
            if obj is None or check(request.user, "view", obj):
                raise PermissionRefused
            raise hidden()
        check_administrator(session_of(request), Act.READ)
        check_known(filters.permission)
        if filters.subject_kind == HolderKind.SERVICE:
            public_ids = services_with(filters.permission, obj)
            services: Any = ServiceRows([Holder(HolderKind.SERVICE, public_id) for public_id in public_ids])
            return page_response(request, services, Holder.to_json)
        people = subjects(filters.permission, obj).select_related("auth_identity")
        return page_response(request, people, lambda person: holder_of(person).to_json(), ordering="-pk")


@dataclass(frozen=True, slots=True)
class ServiceRows:
    """Services, with the methods of a `QuerySet` that pagination uses: order, filter by position, slice."""

    services: Sequence[Holder]

    def order_by(self, name: str) -> Self:
        """Return the services in the order of their ids, ascending (``id``) or descending."""
        return replace(self, services=sorted(self.services, key=lambda service: service.id, reverse=name != "id"))

    def filter(self, **beyond: str) -> Self:
        """Return the services before (``id__lt``) or after (``id__gt``) a position."""
        ((condition, position),) = beyond.items()
        is_after = condition == "id__gt"
        return replace(
            self,
            services=[
                service
                for service in self.services
                if str(service.id) != position and (str(service.id) > position) is is_after
            ],
        )

    def __getitem__(self, page: slice) -> Sequence[Holder]:
        return self.services[page]


def explanation_body(explanation: Explanation, *, with_roles: bool) -> dict[str, Any]:
    """Return the ``explanation`` shape."""
    return {
        "permission": explanation.permission,
        "decision": explanation.decision.to_json(),
        "sentence": explanation.sentence,
        "paths": [_path_body(path) for path in explanation.paths],
        "granting_roles": list(explanation.granting_roles) if with_roles else [],
    }


def _path_body(path: GrantPath) -> dict[str, Any]:
    assignment = path.assignment
    return {
        "effect": path.effect,
        "source": path.source,
        "statement": path.statement,
        "holder": path.holder.to_json(),
        "group": path.group,
        "roles": list(path.roles),
        "assignment": None if assignment is None else str(assignment.pk),
        "scope": path.scope,
        "valid_from": None if assignment is None else assignment.valid_from,
        "valid_until": None if assignment is None else assignment.valid_until,
        "granted_by": None if assignment is None else public_id(assignment.granted_by),
        "reason": "" if assignment is None else assignment.reason,
        "counts": path.counts,
        "lacks": path.lacks,
    }


def _subject(request: Request, named: Holder | None) -> Any:
    """Return the subject of a request: the caller, or someone else if the caller may ask about others.

    Raises:
        NotFound: there is no such person or service, or the caller may not ask about others. Both look the same.
        InsufficientUserAuthentication: an administrator's request needs a recent login.
    """
    user: Any = request.user
    if named is None or named == Holder(HolderKind.PERSON, identity_of(user).subject_id):
        return user
    if not check(user, ASKS_ABOUT_OTHERS):
        raise hidden()
    check_administrator(session_of(request), Act.READ)
    try:
        return find_holder(named)
    except InvalidRequest:
        raise NotFound from None


def _subject_and_object(request: Request, body: CheckBody) -> tuple[Any, models.Model | None]:
    """Return the subject and the object that a body names."""
    subject = _subject(request, body.subject)
    check_known(body.permission)
    named = body.object
    return subject, None if named is None else find_objects(model_named(named["type"], "object.type"), [named["id"]])[0]


def _decide(
    request: Request, subject: Any, permission: str, model: type[models.Model], ids: list[str]
) -> list[Decision]:
    """Return the decisions about the objects with these ids, if the caller may view them.

    It takes one statement, which also finds the objects. It takes two if the model is not one of `plain_keys`.

    Raises:
        NotFound: an object does not exist, or is hidden.
    """
    keys = plain_keys(model, ids)
    if keys is None:
        objects = find_objects(model, ids)
        return _require_visible(request, subject, objects, check_many(subject, permission, objects))
    decisions = check_existing(subject, permission, model, keys)
    existing = [decision for decision in decisions if decision is not None]
    if len(existing) < len(decisions):
        raise NotFound
    if subject == request.user and all(existing):
        return existing
    key, alias = str(model._meta.pk.attname), router.db_for_read(model)
    return _require_visible(request, subject, [model.from_db(alias, [key], [each]) for each in keys], existing)


def _require_visible(
    request: Request, subject: Subject, objects: list[Any], decisions: list[Decision]
) -> list[Decision]:
    """Return the decisions, if the caller may view each object or has the requested permission for it.

    Raises:
        NotFound: for one object they may not. It looks as if the object did not exist.
    """
    uncertain = [
        obj
        for obj, decision in zip(objects, decisions, strict=True)
        if obj is not None and not (decision.allowed and subject == request.user)
    ]
    if not all(check_many(request.user, "view", uncertain)):
        raise hidden()
    return decisions
