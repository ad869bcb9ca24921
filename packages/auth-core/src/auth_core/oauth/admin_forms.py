"""The forms of the admin pages. They have the fields and the rules of the API."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.levels import Assurance
from auth_core.errors import FieldError
from auth_core.oauth.applications.changes import find_policy
from auth_core.oauth.applications.client_secrets import LONGEST_OVERLAP
from auth_core.oauth.applications.resources import owner_of, problems_after
from auth_core.oauth.clients.application_values import (
    ApplicationValues,
    default_values,
    merged,
    plain,
    values_of,
    wire_name,
)
from auth_core.oauth.clients.key_policy import LONGEST_KEYS
from auth_core.oauth.clients.registration import GRANTS, LONGEST_NAME, LONGEST_PAGE, problems_of
from auth_core.oauth.clients.sectors import problems_of_document, problems_of_move, sector_of
from auth_core.oauth.dynamic.initial_tokens import problems_of_initial_token
from auth_core.oauth.models import ApplicationPolicy, InitialAccessToken, Resource
from auth_core.oauth.models.application_policy import AuthMethod, Profile, SubjectType, TokenFormat
from auth_core.oauth.models.dynamic_registration import LONGEST_LIFETIME, MOST_USES

_ONE_PER_LINE = _("One per line.")
_IN_SECONDS = _("In seconds. Empty: that of the site. Never more.")

#: Longest text of a field with lines, in characters.
_LONGEST_LINES = 50_000

#: Longest lifetime, in seconds: ten years.
_LONGEST_LIFETIME = 10 * 365 * 24 * 3600


class LinesField(forms.CharField):
    """A text area with one value on each line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "cols": 80})
        super().__init__(
            **{
                "required": False, "widget": widget, "help_text": _ONE_PER_LINE, "max_length": _LONGEST_LINES, **kwargs
            }
        )  # fmt: skip

    def clean(self, value: object) -> list[str]:
        """Return the lines, without those that are empty. Spaces inside of a line stay, and the rules refuse them."""
        lines = (line.strip() for line in str(super().clean(value)).split("\n"))
        return [line for line in lines if line]

    def prepare_value(self, value: Any) -> Any:
        """Return a list as lines."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the lines."""
        return str(self.prepare_value(initial or [])).split() != str(data or "").split()


class DetachedForm(forms.ModelForm):  # type: ignore[type-arg]  # Django cannot subscript it
    """A form of a row that functions write. It never changes the row itself."""

    def _post_clean(self) -> None:
        """Leave the row alone. Django would write the fields into it and validate it by the rules of columns."""

    def add_problems(self, problems: Sequence[Any]) -> None:
        """Show each problem beside its field."""
        for problem in problems:
            self.add_error(problem.field if problem.field in self.fields else None, problem.detail)


def _choices(choices: Sequence[Any], empty: Any) -> list[tuple[str, Any]]:
    return [("", empty), *choices]


def _page(label: Any, help_text: Any = "") -> forms.CharField:
    widget = forms.TextInput({"size": 80})
    return forms.CharField(label=label, required=False, max_length=LONGEST_PAGE, widget=widget, help_text=help_text)


def _seconds(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=_LONGEST_LIFETIME, help_text=_IN_SECONDS
    )


class ApplicationForm(DetachedForm):
    """Registers and changes an application."""

    name = forms.CharField(
        label=_("Name"), max_length=LONGEST_NAME, help_text=_("What people read before they consent.")
    )
    public = forms.BooleanField(
        label=_("Public"),
        required=False,
        help_text=_("It cannot keep a secret: a program on a device, or in a browser. This never changes."),
    )
    active = forms.BooleanField(
        label=_("Active"), required=False, help_text=_("Without it, everything that people gave to it ends.")
    )
    redirect_uris = LinesField(label=_("Redirect addresses"))
    post_logout_redirect_uris = LinesField(label=_("Addresses after a logout"))
    allowed_origins = LinesField(label=_("Origins of scripts"))
    grants = forms.MultipleChoiceField(
        label=_("Grant types"), choices=[(name, name) for name in GRANTS], widget=forms.CheckboxSelectMultiple
    )
    scopes = LinesField(label=_("Scopes"), help_text=_("Besides those of OpenID Connect. One per line."))
    authorization_details_types = LinesField(
        label=_("Types of authorization details"), help_text=_("Types that it may ask for. One per line.")
    )
    exchange_audiences = LinesField(
        label=_("Audiences of exchanged tokens"),
        help_text=_("URIs of resources for which it may exchange tokens of people. One per line."),
    )
    first_party = forms.BooleanField(
        label=_("First party"),
        required=False,
        help_text=_("It belongs to the operator. People are not asked to consent."),
    )
    service_account = forms.BooleanField(
        label=_("Service account"), required=False, help_text=_("It may hold roles and act for itself.")
    )
    auth_method = forms.ChoiceField(
        label=_("Authentication"), required=False, choices=_choices(AuthMethod.choices, _("By its secret, either way"))
    )
    jwks = forms.CharField(
        label=_("Public keys"),
        required=False,
        max_length=LONGEST_KEYS,
        widget=forms.Textarea({"rows": 3, "cols": 80}),
        help_text=_("A JSON Web Key Set. They verify what the application signs to authenticate."),
    )
    jwks_uri = _page(_("Address of public keys"))
    profile = forms.ChoiceField(
        label=_("Profile"), required=False, choices=_choices(Profile.choices, _("That of the site"))
    )
    require_par = forms.BooleanField(
        label=_("Pushed requests required"), required=False, help_text=_("It must push its authorization requests.")
    )
    require_dpop = forms.BooleanField(
        label=_("DPoP required"), required=False, help_text=_("Its tokens are bound to a key of its own.")
    )
    required_assurance = forms.ChoiceField(
        label=_("Required assurance"),
        required=False,
        choices=_choices([(level.acr, level.acr) for level in Assurance if level], _("None")),
    )
    allowed_groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        label=_("Allowed groups"),
        required=False,
        help_text=_("Only members may use it. None: everyone."),
    )
    token_format = forms.ChoiceField(label=_("Format of access tokens"), choices=TokenFormat.choices)
    access_token_lifetime = _seconds(_("Lifetime of access tokens"))
    refresh_token_lifetime = _seconds(_("Lifetime of authorizations"))
    rotates_refresh_tokens = forms.BooleanField(
        label=_("Rotates refresh tokens"), required=False, help_text=_("Each refresh token works once.")
    )
    id_token_algorithm = forms.ChoiceField(
        label=_("Algorithm of ID tokens"),
        required=False,
        choices=_choices([(name, name) for name in ("RS256", "ES256", "PS256", "EdDSA")], _("Default (RS256)")),
    )
    subject_type = forms.ChoiceField(label=_("Ids of people"), choices=SubjectType.choices)
    sector_identifier_uri = _page(
        _("Address of the sector"), _("For pairwise ids. Empty: the host of the redirect addresses is the sector.")
    )
    userinfo_signed_response_alg = forms.ChoiceField(
        label=_("Algorithm of userinfo"),
        required=False,
        choices=_choices([(name, name) for name in ("RS256", "ES256", "PS256", "EdDSA")], _("Not signed")),
    )
    backchannel_logout_uri = _page(_("Back-channel logout"))
    backchannel_session_required = forms.BooleanField(label=_("Back-channel logout names the session"), required=False)
    client_uri = _page(_("Home page"))
    logo_uri = _page(_("Logo"))
    policy_uri = _page(_("Privacy policy"))
    tos_uri = _page(_("Terms of service"))

    class Meta:
        model = ApplicationPolicy
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django keeps the fields that a form declares, also those that the page does not show.
        self.fields.pop("active" if self.is_new else "public")
        values = default_values(name="", is_public=False) if self.is_new else values_of(self.instance)
        if self.is_new:
            values["grants"] = GRANTS[:2]
        stored = {wire_name(name): value for name, value in values.items()}
        for name in set(self.fields) & set(stored):
            is_rows = isinstance(self.fields[name], forms.ModelMultipleChoiceField)
            self.initial.setdefault(name, stored[name] if is_rows else plain(stored[name]))

    @property
    def is_new(self) -> bool:
        """Whether the application is being registered."""
        return bool(self.instance._state.adding)

    def changes(self) -> dict[str, Any]:
        """Return the fields that differ from what the form showed, as the arguments of the functions that write."""
        names = list(self.fields) if self.is_new else self.changed_data
        return {self._argument(name): self._value(name) for name in names}

    def clean(self) -> dict[str, Any]:
        """Return the fields. Show what the rules of a registration refuse beside its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            changes = self.changes()
            if changes != {"is_active": False}:
                self.add_problems(self._problems(self._base(), changes))
        return cleaned

    def _problems(self, before: ApplicationValues, changes: Mapping[str, Any]) -> list[FieldError]:
        """Return what is wrong with the values after the change. The site of a sector is asked if nothing else is wrong."""
        after = merged(before, changes)
        if problems := list(problems_of(after)):
            return problems
        stored = None if self.is_new else find_policy(self.instance.pk)
        moved = [] if stored is None else problems_of_move(stored, after["subject_type"], sector_of(after))
        return [*moved, *problems_of_document(after, None if self.is_new else before)]

    def _base(self) -> ApplicationValues:
        stored = None if self.is_new else find_policy(self.instance.pk)
        return default_values(name="", is_public=False) if stored is None else values_of(stored)

    def _argument(self, name: str) -> str:
        return f"is_{name}" if f"is_{name}" in _ARGUMENTS else name

    def _value(self, name: str) -> Any:
        value = self.cleaned_data[name]
        if name.endswith("_lifetime"):
            return None if value is None else timedelta(seconds=value)
        return list(value) if name in ("allowed_groups", "grants") else value


_ARGUMENTS = frozenset(ApplicationValues.__annotations__)


class SecretForm(forms.Form):
    """Replaces the secret of an application."""

    overlap = forms.IntegerField(
        label=_("Overlap"),
        initial=0,
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds()),
        help_text=_("How long the secret before is accepted as well, in seconds. 0: it ends at once."),
    )


class ResourceForm(DetachedForm):
    """Registers and changes a resource."""

    uri = forms.CharField(label=_("URI"), max_length=512, widget=forms.TextInput({"size": 80}))
    name = forms.CharField(label=_("Name"), required=False, max_length=255)
    owner = forms.UUIDField(
        label=_("Owner"),
        required=False,
        help_text=_("Public id of the application that may introspect its tokens."),
    )
    scopes = LinesField(
        label=_("Scopes"), help_text=_("One per line: the name, a space, and the sentence that people read.")
    )
    token_format = forms.ChoiceField(
        label=_("Format of access tokens"),
        required=False,
        choices=_choices(TokenFormat.choices, _("As the application that asks")),
    )
    signing_algorithm = forms.ChoiceField(
        label=_("Signing algorithm"), choices=[(name, name) for name in ("ES256", "RS256")]
    )
    is_active = forms.BooleanField(label=_("Active"), required=False, initial=True)

    class Meta:
        model = Resource
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields.pop("uri", None)
            row, owner = self.instance, owner_of(self.instance)
            stored: Mapping[str, Any] = {
                "name": row.name,
                "owner": None if owner is None else owner.pk,
                "scopes": [f"{name} {sentence}" for name, sentence in row.scopes.items()],
                "token_format": row.token_format,
                "signing_algorithm": row.signing_algorithm,
                "is_active": row.is_active,
            }
            for name, value in stored.items():
                self.initial.setdefault(name, value)

    def clean_owner(self) -> ApplicationPolicy | None:
        """Return the application."""
        if self.cleaned_data["owner"] is None:
            return None
        policy = find_policy(self.cleaned_data["owner"])
        if policy is None:
            raise forms.ValidationError(_("This application does not exist."))
        return policy

    def clean_scopes(self) -> dict[str, str]:
        """Return the scopes with their sentences."""
        pairs = [line.partition(" ") for line in self.cleaned_data["scopes"]]
        return {name: sentence.strip() for name, _space, sentence in pairs}

    def changes(self) -> dict[str, Any]:
        """Return the fields that differ from what the form showed, as the arguments of the functions that write."""
        names = list(self.fields) if self.instance._state.adding else self.changed_data
        return {name: self.cleaned_data[name] for name in names}

    def clean(self) -> dict[str, Any]:
        """Return the fields. Show what the rules of a resource refuse beside its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            changes = self.changes()
            row = Resource() if self.instance._state.adding else Resource.objects.get(pk=self.instance.pk)
            self.add_problems(problems_after(row, changes))
        return cleaned


class InitialTokenForm(DetachedForm):
    """Issues an initial access token."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME, help_text=_("Whom it is given to."))
    uses = forms.IntegerField(
        label=_("Uses"), initial=1, min_value=1, max_value=MOST_USES, help_text=_("How many applications.")
    )
    lifetime = forms.IntegerField(
        label=_("Lifetime"),
        initial=7 * 24 * 3600,
        min_value=1,
        max_value=int(LONGEST_LIFETIME.total_seconds()),
        help_text=_("In seconds."),
    )
    scopes = LinesField(
        label=_("Scopes"), help_text=_("That its applications may have besides the open ones. One per line.")
    )
    authorization_details_types = LinesField(
        label=_("Types of authorization details"),
        help_text=_("Types that its applications may ask for. One per line."),
    )

    class Meta:
        model = InitialAccessToken
        fields = ()

    def values(self) -> dict[str, Any]:
        """Return the fields, as the arguments of the function that issues the token."""
        return {**self.cleaned_data, "lifetime": timedelta(seconds=self.cleaned_data["lifetime"])}

    def clean(self) -> dict[str, Any]:
        """Return the fields. Show what the rules refuse beside its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            self.add_problems(list(problems_of_initial_token(**self.values())))
        return cleaned
