"""The blocks of the README work in a new site of Django, with an issuer over real HTTP."""

from pathlib import Path

from auth_core.oauth_resource.testing.issuer import FakeIssuer
from auth_core.testing.readme import FreshSite, blocks

README = Path(__file__).parents[2] / "README.md"
RESOURCE = "https://api.example.org"

VISIT = """
from django.test import Client
browser = Client(HTTP_HOST="localhost")
def get(path, token):
    answer = browser.get(path, HTTP_AUTHORIZATION="Bearer " + token)
    print(answer.status_code, answer.content.decode())
"""


def block(kind: str, name: str) -> str:
    return next(text for text in blocks(README, kind) if name in text)


def test_every_block_works_in_a_fresh_site(tmp_path: Path, issuer: FakeIssuer) -> None:
    site = FreshSite(tmp_path)
    site.append(
        "settings.py", block("python settings", "AUTH_RESOURCE").replace("https://auth.example.org", issuer.url)
    )
    site.append("settings.py", 'AUTH_CORE = {"OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}')
    site.append("urls.py", block("python urls", "require_token"))
    site.append("urls.py", "from mysite.views import NotesView\nurlpatterns += [path('api/', NotesView.as_view())]")
    (tmp_path / "mysite/views.py").write_text(block("python views", "RequireScopes"), encoding="utf-8")
    good, strong = issuer.token(RESOURCE), issuer.token(RESOURCE, acr="aal2", auth_time=issuer.claims(RESOURCE)["iat"])

    assert "no issues" in site.manage("check")
    visits = [("/notes/", good), ("/notes/", "x"), ("/api/", strong), ("/api/", good)]
    answers = site.python(VISIT + "\n".join(f"get({path!r}, {token!r})" for path, token in visits)).splitlines()

    assert [answer[:3] for answer in answers] == ["200", "401", "200", "401"]
    assert answers[0].endswith('{"notes_of": "alice"}')
    assert "insufficient_user_authentication" in answers[3]
