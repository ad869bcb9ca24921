"""``manage.py create_application``, ``list_applications`` and ``replace_secret``: their options, and what they print."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from administrators import API, run, state
from auth_core.oauth.clients.registry import find_application
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, make_application
from auth_core.testing.counts import counted

pytestmark = pytest.mark.django_db


def test_the_options_are_all_that_a_policy_has() -> None:
    group = Group.objects.create(name="staff")

    (printed,) = run(
        "create_application", "--name", "New", "--redirect-uri", REDIRECT_URI, "--grant", "authorization_code",
        "--grant", "client_credentials", "--service-account", "--auth-method", "client_secret_basic",
        "--required-assurance", "aal2", "--allowed-group", "staff", "--access-token-lifetime", "60",
        "--refresh-token-lifetime", "3600", "--token-format", "opaque", "--id-token-algorithm", "ES256",
        "--rotate-refresh-tokens", "--allowed-origin", "https://rp.example", "--client-uri", "https://rp.example/",
        "--logo-uri", "https://rp.example/l.png", "--policy-uri", "https://rp.example/p", "--tos-uri", "https://rp.example/t",
    )  # fmt: skip

    application = find_application(printed["client_id"])
    assert application is not None
    assert application.is_service_account
    assert application.methods == {"client_secret_basic"}
    assert (application.required_assurance, application.token_format) == ("aal2", "opaque")
    assert application.lifetime_of_access.total_seconds() == 60
    assert application.rotates_refresh_tokens
    policy = ApplicationPolicy.objects.get()
    assert list(policy.allowed_groups.all()) == [group]
    assert (policy.client_uri, policy.tos_uri) == ("https://rp.example/", "https://rp.example/t")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--allowed-group", "nobody"], ["--service-account"], ["--access-token-lifetime", "0"],
        ["--access-token-lifetime", "x"], ["--token-format", "saml"], ["--tos-uri", "javascript:x"],
        ["--public", "--auth-method", "client_secret_basic"], ["--allowed-origin", "https://rp.example/x"],
    ],
)  # fmt: skip
def test_a_bad_option_is_refused_and_registers_nothing(arguments: list[str]) -> None:
    before = state()

    with pytest.raises(CommandError):
        run("create_application", "--name", "New", "--redirect-uri", REDIRECT_URI, *arguments)

    assert state() == before


def test_the_list_is_that_of_the_api(administrator: Any, web: Registered, native: Registered) -> None:
    printed = run("list_applications")

    assert [one["id"] for one in printed] == [str(web.policy.pk), str(native.policy.pk)]
    shown = administrator.get(API).json()["results"]
    assert [one["client_id"] for one in reversed(shown)] == [one["client_id"] for one in printed]
    assert web.row.client_secret not in str(printed)


def test_the_list_for_people_has_one_line_each(web: Registered) -> None:
    ApplicationPolicy.objects.update(is_first_party=True, is_active=False)
    out = io.StringIO()

    call_command("list_applications", stdout=out)

    assert out.getvalue() == f"{web.policy.pk} {web.client_id} first_party,disabled Example\n"


def test_the_list_takes_the_same_queries_for_many(web: Registered) -> None:
    def queries() -> int:
        with counted() as counts:
            run("list_applications")
        return counts.queries

    few = queries()
    for _number in range(10):
        make_application()

    assert queries() == few


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["{}", "--overlap", "-1"],
        ["{}", "--overlap", "99999999"],
        ["{}", "--end-previous", "--overlap", "5"],
    ],
)
def test_a_secret_is_not_replaced(arguments: list[str], web: Registered) -> None:
    before = state()

    with pytest.raises(CommandError):
        run("replace_secret", *[one.format(web.client_id) for one in arguments])

    assert state() == before


def test_a_secret_is_printed_for_people_as_well(web: Registered) -> None:
    out = io.StringIO()

    call_command("replace_secret", web.client_id, "--overlap", "60", stdout=out)

    assert out.getvalue().startswith("client_secret: ")
    assert "previous_secret_until: " in out.getvalue()
    call_command("replace_secret", web.client_id, "--end-previous", stdout=out)
    assert "The previous secret was ended." in out.getvalue()
