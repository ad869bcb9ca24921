"""The pages that add a phone or a mailbox, which is confirmed by a code."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.errors import AuthError, NotFound, TooManyAttempts
from auth_core.pages.base import see_other
from auth_core.pages.forms import CodeForm, PageForm
from auth_core.request.client import client_of
from auth_mfa.codes import code_in
from auth_mfa.factors import check_fresh_proof
from auth_mfa.mailbox import mailbox_of
from auth_mfa.messages import enrolment
from auth_mfa.pages.forms import BeginForm, PhoneForm
from auth_mfa.pages.views import FactorPage


class AddPhonePage(FactorPage):
    """``/account/second-factors/phone/add/``: the phone number for codes."""

    form_class = PhoneForm
    title, button = _("Add a phone"), _("Send code")
    lead = _(
        "We will text a code to this number now and each time you sign in. Text messages can be intercepted and"
        " numbers can be hijacked. An authenticator app or a passkey is safer."
    )

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Send the code."""
        check_fresh_proof(user=request.user, session=session_of(request))
        begun = enrolment.begin_phone(
            user=request.user, number=form.cleaned_data["number"], name="", client=client_of(request)
        )
        return see_other(reverse("mfa-pages:code", args=[begun.factor.pk]))


class AddMailboxPage(FactorPage):
    """``/account/second-factors/email/add/``: a button that sends a code to the address of the account."""

    form_class = BeginForm
    title, button = _("Add email codes"), _("Send code")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Send the code."""
        check_fresh_proof(user=request.user, session=session_of(request))
        begun = enrolment.begin_email(user=request.user, name="", client=client_of(request))
        return see_other(reverse("mfa-pages:code", args=[begun.factor.pk]))

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with the address of the account."""
        lead = _(
            "We will email a code to %(address)s now and each time you sign in. This is weaker than an app or a"
            " passkey: anyone who can read your email can also reset your password. It never counts as strong"
            " proof (AAL2)."
        ) % {"address": mailbox_of(request.user) or _("your email address")}
        return super().show(request, form, status=status, lead=lead, **context)


class CodePage(FactorPage):
    """``/account/second-factors/{id}/code/``: confirm with the code that was sent."""

    template_name = "auth_mfa/code.html"
    form_class = CodeForm
    title, button = _("Enter the code"), _("Confirm")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Check the code, or send it again."""
        if "resend" not in request.POST:
            return super().post(request, **kwargs)
        try:
            check_fresh_proof(user=request.user, session=session_of(request))
            begun = enrolment.resend(user=request.user, factor_id=self.kwargs["factor_id"], client=client_of(request))
        except NotFound as refusal:
            raise Http404 from refusal
        except AuthError as refusal:
            # A bound form can show the error.
            return self.refuse(request, CodeForm({"code": "-"}), refusal)
        if not begun.sending.is_sent:
            return self.show(request, CodeForm(), status=int(TooManyAttempts.status), is_withheld=True)
        messages.success(request, _("We sent the code again."), fail_silently=True)
        return see_other(request.path)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Confirm the phone or mailbox."""
        check_fresh_proof(user=request.user, session=session_of(request))
        enrolment.confirm(
            user=request.user,
            factor_id=self.kwargs["factor_id"],
            code=code_in(form.cleaned_data, field=""),
            client=client_of(request),
        )
        messages.success(request, _("The second factor was added. You can now use it to sign in."), fail_silently=True)
        return see_other("mfa-pages:factors")

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with a hint of where the code was sent, while there is something to confirm."""
        try:
            begun = enrolment.begun_message(user=request.user, factor_id=self.kwargs["factor_id"])
        except NotFound as refusal:
            raise Http404 from refusal
        delivery = {"to": begun.factor.hint, "is_sent": begun.sending.is_sent}
        return super().show(request, form, status=status, **delivery, **context)
