"""What is shown of an address: no secret, wherever it stands and however it is mistyped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.addresses import PROTOCOLS, masked_words, may_be_address, shown_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:pw@host/x", "rtsp://host/x"),
        ("rtsp://me:p@w@host:554/x", "rtsp://host:554/x"),
        ("http://host/a@b", "http://host/a@b"),
        ("http://host/list.m3u8", "http://host/list.m3u8"),
        ("rtsp://[::1]:8554/x", "rtsp://[::1]:8554/x"),
        ("rtsp://h/Streaming/Channels/101", "rtsp://h/Streaming/Channels/101"),
        ("rtsp://h/realmonitor?channel=1&subtype=0", "rtsp://h/realmonitor?channel=1&subtype=0"),
        ("http://host/x?user=me&password=pw#a", "http://host/x?user=…&password=…#…"),
        ("http://host/x?a=1&api_key=pw&b=2", "http://host/x?…&api_key=…&…"),
        ("rtsp://host/user=me&passwd=pw&ch=1", "rtsp://host/user=…&passwd=…&ch=1"),
        ("http://host/x;sig=pw/y?channel=1", "http://host/…;sig=…/…?channel=1"),
        (
            "rtsp://h/user=admin_password=X_channel=1.sdp",
            "rtsp://h/user=…_password=…_channel=1.sdp",
        ),
        ("http://h/x?channel=long-enough-to-be-one", "http://h/x?…"),
        ("rtsp://u:1/T@h/x", "rtsp://…@h/x"),
        ("rtsp://h:7447/5d3f8a9b2c1e4f6a", "rtsp://h:7447/…"),
        ("rtmp://h/live2/abcd-1234-efgh-5678", "rtmp://h/live2/…"),
        ("rtsp:/u:S@h", "rtsp:/h"),
        ("u:S@h/x", "…@h/x"),
    ],
)
def test_what_is_harmless_is_shown(address: str, shown: str) -> None:
    assert shown_address(address) == shown


_FORMS = (
    "rtsp://u:{}@h/x",
    "rtsp://h/user=admin_password={}_channel=1.sdp",
    "rtsp://h/user=admin&password={}&channel=1&stream=0.sdp?real_stream",
    "http://h/x?loginuse=a&loginpas={}",
    "http://h/x?p={}",
    "http://h/x?sid={}",
    "http://h/x?access={}",
    "http://h/x?what-is-this={}",
    "http://h/x?{}",
    "http://h/x?{}==",
    "http://h/x#pw={}",
    "http://h/x#{}",
    "http://h/x;jsessionid={}",
    "http://h/x?A={}&channel=2",
    "rtsp:/u:{}@h",
    "rtsp:u:{}@h",
    "rtsp//u:{}@h/x",
    "rtsp;//u:{}@h/x",
    "rtps://u:{}@h/x",
    "rstp:/u:{}@h/x?p={}",
    "RTSP:///u:{}@h",
    "ttp://u:{}@h",
    "u:{}@h",
    "u:{}@192.168.1.2:554/x",
    "192.168.1.2/x?{}",
    "//u:{}@h/x",
    "srt://h:9000?passphrase={}",
    "user=admin_password={}",
)


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize("between", ["", "@", "_", "/", "?", "#", "&", ";", "%2F"])
def test_no_form_of_an_address_shows_its_secret(form: str, between: str) -> None:
    address = form.replace("{}", f"S3{between}cret")
    assert may_be_address(address)
    shown = shown_address(address)
    assert "S3" not in shown
    assert "cret" not in shown


@given(
    start=st.sampled_from(["", *(f"{each}://" for each in PROTOCOLS), "rtsp:/", "htp://"]),
    secret=st.text(alphabet="abcXYZ019:/?#&=;_.,%", min_size=3, max_size=12),
    end=st.sampled_from(["", "/x", ":554/x", "/x?channel=1", "/user=a_password=b"]),
)
def test_whatever_stands_before_the_host_is_hidden(start: str, secret: str, end: str) -> None:
    shown = shown_address(f"{start}u:{secret}@h{end}")
    rest = shown.removeprefix(start)
    assert rest.removeprefix("…@").startswith("h") or rest == "…"


@given(st.text(max_size=60))
def test_any_text_is_shown_somehow(text: str) -> None:
    assert isinstance(shown_address(text), str)
    assert isinstance(masked_words(text), str)


def test_the_words_of_a_message_are_looked_at() -> None:
    assert masked_words("No such command 'rtsp://u:S@h'.") == "No such command 'rtsp://h'."
    assert masked_words("--set a.b=c is fine") == "--set a.b=c is fine"
