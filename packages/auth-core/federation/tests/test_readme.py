"""The blocks of the README and of the guide work in a new site of Django."""

from pathlib import Path

from auth_core.testing.readme import FreshSite, blocks

ROOT = Path(__file__).parents[4]
README = ROOT / "packages/auth-core/README.md"
GUIDE = ROOT / "docs/federation.md"


def block(path: Path, kind: str, name: str) -> str:
    return next(text for text in blocks(path, kind) if name in text)


def test_every_block_works_in_a_fresh_site(tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.append("settings.py", 'INSTALLED_APPS += ["auth_core"]')
    site.append("settings.py", block(README, "python settings", "AUTH_FEDERATION"))
    site.append("settings.py", 'AUTH_CORE = {"PUBLIC_URL": "https://auth.example.org", "FIELD_KEYS": {"a": "A" * 43}}')
    site.append(
        "urls.py", "from django.urls import include\nurlpatterns += [path('', include('auth_core.pages.urls'))]"
    )
    site.append("urls.py", block(README, "python urls", "federation"))
    (tmp_path / "mysite/providers.py").write_text(block(GUIDE, "python", "OpenIDProvider"), encoding="utf-8")
    names = site.python(
        "from auth_core.federation.providers.configuration import usable_providers\n"
        "print([provider.name for provider in usable_providers()])"
    )

    assert "Google" in names
    assert "OpenID Connect" in names

    site.append("settings.py", block(GUIDE, "python", "mysite.providers"))
    output = site.python(
        "from auth_core.federation.providers.configuration import problems, usable_providers\n"
        "print(list(problems()), usable_providers()[0].issuer)"
    )

    assert output.strip() == "[] https://login.example.com"
