"""The description of user agents."""

import time

import pytest

from auth_sessions.user_agents import Description, describe

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "described"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", ("desktop", "Linux", "Firefox")),
        (f"{WINDOWS} Safari/537.36 Edg/126.0", ("desktop", "Windows", "Edge")),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/17.5 Mobile/15E148 Safari/604.1",
            ("mobile", "iOS", "Mobile Safari"),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
            " Mobile/15E148 Safari/604.1",
            ("tablet", "iOS", "Mobile Safari"),
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile"
            " Safari/537.36",
            ("mobile", "Android", "Chrome Mobile"),
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
            " Safari/537.36",
            ("tablet", "Android", "Chrome"),
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            ("bot", "", "Googlebot"),
        ),
        ("curl/8.5.0", ("app", "", "curl")),
        ("okhttp/4.9", ("app", "", "okhttp")),
        ("", ("other", "", "")),
        ("\\u202e \\u0000", ("other", "", "")),
    ],
)
def test_kind_system_and_browser_are_read(user_agent: str, described: tuple[str, str, str]) -> None:
    assert describe(user_agent) == Description(*described)


@pytest.mark.parametrize("letter", ["x", "(", "Mozilla/5.0 ", "Android;", "é"])
def test_ten_thousand_characters_cost_no_more_than_five_hundred(letter: str) -> None:
    began = time.thread_time()

    described = describe(letter * 10_000)

    assert time.thread_time() - began < 1
    assert max(len(described.os), len(described.browser)) <= 64


@pytest.mark.parametrize(
    "user_agent", ["evil.example/1.0 CFNetwork/1490 Darwin/23.2.0", "<b>x</b>/2 CFNetwork/1 Darwin/23"]
)
def test_family_names_contain_no_link_or_tag(user_agent: str) -> None:
    described = describe(user_agent)

    assert not set(".:/<>") & set(described.browser + described.os)
