"""What every request passes before it reaches the page."""

import asyncio
import json
from typing import Any

import pytest

from stream.page.door import Door
from stream.page.guard import HEADERS, Guard, served_names

_DOOR = Door()
_PORT = 8765
_OWN = f"127.0.0.1:{_PORT}"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Says that it was reached, and with which rights."""
    rights = scope.get("state", {}).get("rights", "none")
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept", "rights": rights})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": rights.encode()})


def _ask(
    path: str = "/api/me",
    *headers: tuple[str, str],
    query: str = "",
    kind: str = "http",
    method: str = "GET",
    host: str | None = _OWN,
    is_secure: bool = False,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer; status 101 of a WebSocket that is opened."""
    given = [] if host is None else [("host", host)]
    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in (*given, *headers)],
        "client": ("127.0.0.1", 1),
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": f"{kind}.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    names = served_names("127.0.0.1", ["camera.example.org"])
    guard = Guard(_app, _DOOR, names, _PORT, is_secure=is_secure)
    asyncio.run(guard(scope, receive, send))
    if sent[0]["type"] == "websocket.accept":
        return 101, {}, sent[0]["rights"].encode()
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"]


def _bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"


def _cookie(token: str, port: int = _PORT) -> tuple[str, str]:
    return "cookie", f"other=1; face_stream_{port}={token}"


@pytest.mark.parametrize("path", ["/", "/api/me", "/assets/app.js", "/metrics", "/api", "/nothing"])
def test_nothing_but_the_health_is_answered_without_a_token(path: str) -> None:
    status, headers, body = _ask(path)
    assert status == 401
    assert "open the address" in json.loads(body)["error"]
    assert headers["content-type"] == "application/json"
    assert _ask("/healthz")[0] == 200


def test_a_cookie_and_a_bearer_let_in_with_their_rights() -> None:
    for bring in (_bearer, _cookie):
        assert _ask("/api/me", bring(_DOOR.control))[2] == b"control"
        assert _ask("/api/me", bring(_DOOR.watch))[2] == b"watch"
        assert _ask("/api/me", bring("x" * 32))[0] == 401
    assert _ask("/api/me", _cookie(_DOOR.control, 8766))[0] == 401, "that of another page"


@pytest.mark.parametrize("is_secure", [False, True])
def test_the_printed_address_sets_a_cookie_and_leads_to_the_page(is_secure: bool) -> None:
    status, headers, _ = _ask("/", query=f"token={_DOOR.watch}", is_secure=is_secure)
    assert (status, headers["location"]) == (303, "/")
    name_and_value, *attributes = headers["set-cookie"].split("; ")
    assert name_and_value == f"face_stream_{_PORT}={_DOOR.watch}"
    assert attributes == ["Path=/", "HttpOnly", "SameSite=Strict", *["Secure"] * is_secure]
    assert _ask("/", query="token=wrong")[0] == 401
    assert _ask("/api/me", query=f"token={_DOOR.control}")[0] == 401, "only of the page itself"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (_OWN, 200),
        (f"localhost:{_PORT}", 200),
        ("[::1]:8765", 200),
        ("camera.example.org", 200),
        ("10.1.2.3:8765", 200),  # by its number: no other site has that as its name
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost@evil.example", 400),
        ("evil.example/127.0.0.1", 400),
        ("[::1", 400),
        ("", 400),
        (None, 400),
    ],
)
def test_another_host_is_refused(host: str | None, status: int) -> None:
    for kind in ("http", "websocket"):
        found = _ask("/api/me", _bearer(_DOOR.control), host=host, kind=kind)[0]
        assert found == (101 if kind == "websocket" and status == 200 else status)


def test_a_header_that_stands_twice_is_refused() -> None:
    assert _ask("/api/me", ("host", "evil.example"), _bearer(_DOOR.control))[0] == 400
    assert _ask("/api/me", _bearer("x"), _bearer(_DOOR.control))[0] == 400


def test_cookies_of_other_programs_on_this_host_shut_nobody_out() -> None:
    odd = 'prefs={"a": [1, 2]}; list[0]=x; alone; =; ä=ö'
    for cookie in (f"{odd}; {_cookie(_DOOR.watch)[1]}", f"{_cookie(_DOOR.watch)[1]};{odd}"):
        assert _ask("/api/me", ("cookie", cookie))[2] == b"watch"


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_request_whose_head_is_too_long_is_refused(kind: str) -> None:
    digits = f"/api/sources/{'9' * 5000}"
    assert _ask(digits, _bearer(_DOOR.control), kind=kind)[0] == 414
    assert _ask("/api/me", _bearer(_DOOR.control), ("x", "x" * 20_000), kind=kind)[0] == 431
    assert _ask("/api/me", query="x" * 20_000, kind=kind)[0] == 431


def test_a_request_whose_body_ends_at_two_places_is_refused() -> None:
    both = ("content-length", "3"), ("transfer-encoding", "chunked")
    assert _ask("/api/analyze", _bearer(_DOOR.control), *both, method="POST")[0] == 400


def test_an_address_of_many_parts_is_one_without_a_token() -> None:
    assert _ask("/", query="&".join(f"a{number}=1" for number in range(100)))[0] == 401


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ([("origin", f"http://{_OWN}")], True),
        ([("origin", f"http://localhost:{_PORT}")], False),  # not the page that is asked
        ([("origin", "http://127.0.0.1:9999")], False),
        ([("origin", f"https://{_OWN}")], False),
        ([("origin", "http://evil.example")], False),
        ([("origin", "null")], False),
        ([("sec-fetch-site", "cross-site")], False),
        ([("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], True),
        ([("sec-fetch-site", "same-origin")], True),
    ],
)
def test_other_sites_pages_are_refused(
    kind: str, headers: list[tuple[str, str]], is_let_in: bool
) -> None:
    status = _ask("/api/sources", _cookie(_DOOR.control), *headers, kind=kind)[0]
    assert status == ((101 if kind == "websocket" else 200) if is_let_in else 403)


def test_every_answer_has_the_headers_that_keep_others_out() -> None:
    for answer in (_ask("/healthz"), _ask(), _ask(host="evil"), _ask("/", _bearer(_DOOR.watch))):
        for name, value in HEADERS.items():
            assert answer[1][name.lower()] == value
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not any(name.startswith("access-control") for name in _ask("/healthz")[1])


def test_all_names_of_a_machine_that_serves_others_are_known() -> None:
    assert "127.0.0.1" in served_names("0.0.0.0", [])
    assert served_names("door.example", ["b.example"])[-2:] == ["door.example", "b.example"]
