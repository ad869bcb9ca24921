"""The first blocks of the README work in a new site from ``django-admin startproject``."""

from pathlib import Path

import pytest

from auth_core.testing.readme import FreshSite, blocks

README = Path(__file__).parents[1] / "README.md"

#: An authenticator app is added over the API, and asked for at the next login.
VISIT = """
import base64, time
from auth_core.testing.browsers import answer, log_in, logged_in, new_browser, post
from auth_core.testing.factories import PASSWORD, make_user
from auth_mfa import oath

user = make_user("alice@example.org")
browser = logged_in(new_browser(HTTP_HOST="localhost"))
begun = post(browser, "mfa/totp")
assert begun.status_code == 201, begun.content
secret = begun.json()["secret"]
key = base64.b32decode(secret + "=" * (-len(secret) % 8))
step = oath.step_at(time.time())
confirmed = post(browser, f"mfa/totp/{begun.json()['id']}/confirm", code=oath.code_at(key, step))
assert confirmed.status_code == 200, confirmed.content
browser = new_browser(HTTP_HOST="localhost")
challenged = log_in(browser)
assert challenged.status_code == 202, challenged.content
print(answer(browser, challenged, code=oath.code_at(key, step + 1)).json()["session"]["acr"])
"""


@pytest.mark.sqlite  # the site has its own database, so once is enough
def test_a_login_asks_for_the_factor_in_a_new_site(tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.follow(README)
    (migrate,) = blocks(README, "sh")

    site.sh(migrate)

    assert site.python(VISIT).strip() == "aal2"


@pytest.mark.sqlite  # as above
@pytest.mark.parametrize("options", blocks(README, "python options"))
def test_the_options_pass_the_checks_of_a_new_site(options: str, tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.follow(README)
    site.append("settings.py", options)

    site.manage("check")
