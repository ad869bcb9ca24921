"""Additional pages of the admin site: explanations and object permissions."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from auth_core.errors import AuthError
from auth_core.observability.denials import mark_denied_by
from auth_core.users import UserLike
from auth_rbac.admin_forms import AskForm, ExplainForm, ObjectPermissionForm
from auth_rbac.explanations.explanations import Explanation, explain
from auth_rbac.explanations.text import missing, steps
from auth_rbac.holders.descriptions import label_of_subject
from auth_rbac.holders.service_subject import ServiceSubject, Subject, assignments_reaching
from auth_rbac.models import Assignment
from auth_rbac.objects.grants import permit, withdraw
from auth_rbac.objects.object_ids import wire_ids
from auth_rbac.objects.object_list import ObjectPermission, object_rows

if TYPE_CHECKING:
    from django.db.models import Model

#: How many rows a page shows, and how many an inline.
PAGE_SIZE, INLINE_SIZE = 50, 10


def explain_anybody(admin: "ModelAdmin[Any]", request: HttpRequest) -> HttpResponse:
    """Explain a permission of any person or service. The form asks for them."""
    form = AskForm(request.GET or None)
    subject = form.cleaned_data["subject"] if form.is_valid() else None
    return _explanation(admin, request, form, subject)


def explain_person(admin: "ModelAdmin[Any]", request: HttpRequest, user_pk: str) -> HttpResponse:
    """Show the roles of a person, and explain one permission."""
    form = ExplainForm(request.GET or None)
    return _explanation(admin, request, form, _find_or_404(get_user_model(), user_pk))


def explain_service(admin: "ModelAdmin[Any]", request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Show the roles of a service, and explain one permission. A deleted service has roles without an effect."""
    return _explanation(admin, request, ExplainForm(request.GET or None), ServiceSubject(service_id))


def objects_of_person(admin: "ModelAdmin[Any]", request: HttpRequest, user_pk: str) -> HttpResponse:
    """Show, grant and revoke the object permissions of a person."""
    person = _find_or_404(get_user_model(), user_pk)
    return _change(admin, request, person) if request.method == "POST" else _objects(admin, request, person)


def objects_of_group(admin: "ModelAdmin[Any]", request: HttpRequest, group_pk: str) -> HttpResponse:
    """Show, grant and revoke the object permissions of a group."""
    group = _find_or_404(Group, group_pk)
    return _change(admin, request, group) if request.method == "POST" else _objects(admin, request, group)


def table_lines(rows: list[ObjectPermission], person: UserLike | None = None) -> list[dict[str, Any]]:
    """Return the lines of a table: the permission, the object by its API id, and the link to the explanation."""
    names = {kind: wire_ids(kind, {row.key for row in rows if row.kind == kind}) for kind in {row.kind for row in rows}}
    table = [{"permission": row.permission, "kind": row.kind, "key": names[row.kind][row.key]} for row in rows]
    for line in table:
        line["why"] = "" if person is None else f"{address_of_explanation(person.pk)}?{urlencode(line)}"
    return table


def address_of_explanation(user_pk: object) -> str:
    """Return the URL of the page that explains a person's permissions."""
    return reverse("admin:auth_rbac_explain", args=[user_pk])


def address_of_explanation_of_service(service_id: UUID) -> str:
    """Return the URL of the page that explains a service's permissions."""
    return reverse("admin:auth_rbac_explain_service", args=[service_id])


def address_of_objects(holder: UserLike | Group) -> str:
    """Return the URL of the page with the object permissions of a person or a group."""
    kind = "group" if isinstance(holder, Group) else "person"
    return reverse(f"admin:auth_rbac_objects_of_{kind}", args=[holder.pk])


def _explanation(
    admin: "ModelAdmin[Any]", request: HttpRequest, form: ExplainForm, subject: Subject | None
) -> HttpResponse:
    explanation = problem = None
    if subject is not None and form.is_bound and form.is_valid():
        try:
            explanation = explain(subject, form.cleaned_data["permission"], form.named_object())
        except (AuthError, ValueError) as error:
            problem = getattr(error, "detail", None) or _("Invalid permission name.")
    assignments = Assignment.objects.none() if subject is None else assignments_reaching(subject)
    title = _("Explain permissions")
    if subject is not None:
        title = _("Permissions of %(subject)s") % {"subject": label_of_subject(subject)}
    context = {
        "form": form,
        "subject": subject,
        "objects": "" if subject is None or isinstance(subject, ServiceSubject) else address_of_objects(subject),
        "assignments": assignments.select_related("role", "group", "granted_by").order_by("-pk"),
        "explanation": explanation,
        "paths": [] if explanation is None else [(path, list(steps(path))) for path in explanation.paths],
        "missing": [] if explanation is None else _missing(explanation),
        "problem": problem,
    }
    return _page(admin, request, "auth_rbac/explain.html", title, context)


def _missing(explanation: Explanation) -> list[str]:
    return list(missing(explanation))


def _objects(
    admin: "ModelAdmin[Any]", request: HttpRequest, holder: UserLike | Group, form: ObjectPermissionForm | None = None
) -> HttpResponse:
    after = request.GET.get("after", "")
    rows = object_rows(seen_by=request.user, holder=holder).order_by("-position")
    try:
        page = (rows.filter(position__lt=after) if after else rows)[0 : PAGE_SIZE + 1]
    except AuthError as refusal:
        raise Http404 from refusal
    person = None if isinstance(holder, Group) else holder
    context = {
        "form": form or ObjectPermissionForm(),
        "rows": table_lines(page[:PAGE_SIZE], person),
        "explain": "" if person is None else address_of_explanation(person.pk),
        "is_first": not after,
        "next": urlencode({"after": page[PAGE_SIZE - 1].position}) if len(page) > PAGE_SIZE else "",
        "may_give": admin.has_add_permission(request),
        "may_take": admin.has_delete_permission(request),
    }
    title = _("Object permissions of %(holder)s") % {"holder": holder}
    return _page(admin, request, "auth_rbac/objects.html", title, context)


def _change(admin: "ModelAdmin[Any]", request: HttpRequest, holder: UserLike | Group) -> HttpResponse:
    """Grant or revoke what the form names. The called function checks the authority for the object.

    Raises:
        PermissionDenied: the caller may do so for no object.
    """
    takes = request.POST.get("action") == "withdraw"
    if not (admin.has_delete_permission if takes else admin.has_add_permission)(request):
        raise PermissionDenied
    form = ObjectPermissionForm(request.POST)
    if not form.is_valid():
        return _objects(admin, request, holder, form)
    change: Any = withdraw if takes else permit
    arguments = {"holder": holder, "permission": form.cleaned_data["permission"], "obj": form.named_object()}
    try:
        is_done = change(**arguments, actor=request.user)
    except AuthError as refusal:
        mark_denied_by(refusal)
        details = [error.detail for error in refusal.errors] or [refusal.detail]
        messages.error(request, " ".join(details))
    else:
        _report_success(request, takes, is_done)
    return HttpResponseRedirect(address_of_objects(holder))


def _report_success(request: HttpRequest, takes: bool, is_done: bool) -> None:
    if takes:
        done, undone = _("The permission was revoked."), _("The permission had not been granted.")
    else:
        done, undone = _("The permission was granted."), _("The permission had already been granted.")
    if is_done:
        messages.success(request, done)
    else:
        messages.warning(request, undone)


def _page(
    admin: "ModelAdmin[Any]", request: HttpRequest, template: str, title: str, context: dict[str, Any]
) -> HttpResponse:
    site = admin.admin_site.each_context(request)
    return TemplateResponse(request, template, {**site, "title": title, "opts": admin.opts, **context})


def _find_or_404(model: "type[Model]", key: str) -> Any:
    """Return the person or group with this key.

    Raises:
        Http404: there is none, or the key is invalid.
    """
    try:
        return get_object_or_404(model, pk=key)
    except (ValueError, ValidationError, OverflowError):
        raise Http404 from None
