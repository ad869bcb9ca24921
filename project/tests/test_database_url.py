"""``DATABASE_URL`` in the forms that operators write."""

import pytest
from psycopg.conninfo import make_conninfo

from enterprise_auth.core.database import postgresql
from enterprise_auth.core.database_url import InvalidUrl, parse
from enterprise_auth.env import Environment

AT = "@db.example.org:5432/auth"


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("secret", "secret"),
        ("a#b", "a#b"),
        ("a?b", "a?b"),
        ("a/b", "a/b"),
        ("a@b", "a@b"),
        ("a:b", "a:b"),
        ("#?/", "#?/"),
        ("p/q?r#s@t:u", "p/q?r#s@t:u"),
        ("[x]", "[x]"),
        ("a b", "a b"),
        ("a%20b", "a b"),
        ("a%23b%3F%2F%40", "a#b?/@"),
        ("100%", "100%"),
        ("50%off", "50%off"),
        ("a+b", "a+b"),
        ("a&b=c", "a&b=c"),
        ("pässwörd", "pässwörd"),
        ("$HOME${x}", "$HOME${x}"),
        ("", ""),
    ],
)
def test_a_password_may_contain_any_character(written: str, password: str) -> None:
    address = parse(f"postgres://app:{written}{AT}?sslmode=require")

    assert address.settings == {
        "HOST": "db.example.org", "PORT": "5432", "USER": "app", "PASSWORD": password, "NAME": "auth",
    }  # fmt: skip
    assert address.options == {"sslmode": "require"}
    assert password not in repr(address) or len(password) < 2


@pytest.mark.parametrize(
    ("url", "host", "port", "name"),
    [
        ("postgres://u@db/auth", "db", "", "auth"),
        ("postgresql://db/auth", "db", "", "auth"),
        ("postgres://u@[2001:db8::1]:6432/auth", "2001:db8::1", "6432", "auth"),
        ("postgres://u@[2001:db8::1]/auth", "2001:db8::1", "", "auth"),
        (
            "postgres://u:p@host1:5432,host2:5433/auth?target_session_attrs=read-write",
            "host1,host2",
            "5432,5433",
            "auth",
        ),
        ("postgres://u:p@host1,host2/auth", "host1,host2", "", "auth"),
        ("postgres://u:p@host1,host2:5433/auth", "host1,host2", ",5433", "auth"),
        ("postgres://u:p@[::1]:1,[::2]:2/auth", "::1,::2", "1,2", "auth"),
        ("postgres:///auth", "", "", "auth"),
        ("postgres://u@%2Fvar%2Frun%2Fpostgresql/auth", "/var/run/postgresql", "", "auth"),
        ("postgres:///auth?host=/var/run/postgresql&port=5433", "/var/run/postgresql", "5433", "auth"),
        ("postgres://u@db/my%20auth%2F2", "db", "", "my auth/2"),
        ("postgres://u@db?dbname=auth", "db", "", "auth"),
    ],
)
def test_hosts_ports_and_names(url: str, host: str, port: str, name: str) -> None:
    settings = parse(url).settings

    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == (host, port, name)


def test_user_and_password_may_be_options() -> None:
    settings = parse("postgres://db/auth?user=app&password=a%26b").settings

    assert (settings["USER"], settings["PASSWORD"]) == ("app", "a&b")


def test_options_reach_libpq_and_keep_their_escapes() -> None:
    options = {
        "sslmode": "verify-full", "sslrootcert": "/etc/ssl/ca one.pem", "connect_timeout": "10",
        "options": "-c search_path=auth", "application_name": "auth+1", "target_session_attrs": "read-write",
    }  # fmt: skip
    query = (
        "sslmode=verify-full&sslrootcert=/etc/ssl/ca%20one.pem&connect_timeout=10&options=-c%20search_path%3Dauth"
        "&application_name=auth+1&target_session_attrs=read-write"
    )

    assert parse(f"postgres://u:p{AT}?{query}").options == options
    assert make_conninfo(**options)
    assert parse(f"postgres://u:p{AT}?ssl=true").options == {"sslmode": "require"}


def test_the_operators_timeout_replaces_the_default() -> None:
    def options_of(query: str) -> dict[str, object]:
        environment = Environment({"DATABASE_URL": f"postgres://u:p{AT}{query}"})
        found: dict[str, object] = postgresql(environment)["OPTIONS"]
        assert environment.problems == []
        return found

    assert options_of("")["connect_timeout"] == 2
    assert options_of("?connect_timeout=10")["connect_timeout"] == "10"


@pytest.mark.parametrize(
    "url",
    [
        "", "postgres:", "postgres://", "db.example.org/auth", "postgres://app:hunter22@db.example.org",
        "postgres://app:hunter22@", "mysql://app:hunter22@db/auth", "sqlite:///hunter22",
        "postgresql+psycopg://app:hunter22@db/auth", "postgres://app:hunter22@db:hunter22/auth",
        "postgres://app:hunter22@db:0/auth", "postgres://app:hunter22@db:70000/auth",
        "postgres://app:hunter22@db/auth?x=1", "postgres://app:hunter22@db/auth?connect_timeout=hunter22",
        "postgres://app:hunter22@db/auth?sslmod=require", "postgres://app:hunter22@db/auth#fragment",
        "postgres://app:hunter22%ff@db/auth", "postgres://app:hunter22%00@db/auth", "postgres://app:hunter22@a b/auth",
        "postgres://app:x@one/y?sslmode=hunter22@two/auth",
    ],
)  # fmt: skip
def test_a_wrong_url_is_named_without_its_secret(url: str) -> None:
    environment = Environment({"DATABASE_URL": url, "DB_NAME": ""})

    postgresql(environment)

    assert len(environment.problems) == 1
    assert environment.problems[0].startswith("DATABASE_URL ")
    assert "hunter22" not in environment.problems[0]


def test_an_ambiguous_url_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidUrl, match="%40 %2F %3F %23"):
        parse("postgres://app:x@one/y?sslmode=a@two/auth")


@pytest.mark.parametrize(
    ("values", "name"),
    [({"DB_HOST": "postgres://db"}, "DB_HOST"), ({"DB_PORT": "abc"}, "DB_PORT"), ({"DB_NAME": ""}, "DATABASE_URL")],
)
def test_wrong_parts_are_named(values: dict[str, str], name: str) -> None:
    environment = Environment({"DB_NAME": "auth", **values})

    postgresql(environment)

    assert [problem.split()[0] for problem in environment.problems] == [name]


def test_several_hosts_may_be_given_as_parts() -> None:
    environment = Environment({"DB_NAME": "auth", "DB_HOST": "one,two", "DB_PORT": "5432,5433"})

    assert postgresql(environment)["HOST"] == "one,two"
    assert environment.problems == []
