"""Events published to a mosquitto on loopback, which refuses, is killed, and comes back."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import PATIENCE_S, SIZE_WH, frame, stopped, track
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from stream.deliveries import Delivery
from stream.drawing.overlay import Overlay
from stream.errors import ConfigError, SinkError
from stream.frames import SourceInfo
from stream.sinks.contract import AnnotatedFrame
from stream.sinks.publishing.event_sender import EventSender
from stream.sinks.publishing.mqtt import MqttClient
from stream.sinks.publishing.services import broker

_MOSQUITTO = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
if _MOSQUITTO is None:
    pytest.skip("the broker mosquitto is not there", allow_module_level=True)

_FILE = SourceInfo("door.mp4", "video", SIZE_WH, 25.0)
_LIVE = SourceInfo("door", "stream", SIZE_WH, 25.0)
_TOPIC = "home/front door"


class _Broker:
    """A mosquitto that can be killed and started again at its port, without what it retained."""

    def __init__(self, folder: Path, *lines: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._file = folder / "mosquitto.conf"
        told = lines or ("allow_anonymous true",)
        # As root it would else become a user who may not read the files of a test.
        own = (f"listener {self.port} 127.0.0.1", "user root")
        self._file.write_text("\n".join([*own, *told, ""]))
        self.start()

    def start(self) -> None:
        assert _MOSQUITTO is not None
        self.program = subprocess.Popen(
            [_MOSQUITTO, "-c", str(self._file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(round(100 * PATIENCE_S)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            threading.Event().wait(0.01)
        self.kill()
        pytest.fail("mosquitto does not listen")

    def kill(self) -> None:
        self.program.kill()
        self.program.wait()

    @property
    def address(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}/home/front%20door"


@contextmanager
def _running(folder: Path, *lines: str) -> Iterator[_Broker]:
    running = _Broker(folder, *lines)
    try:
        yield running
    finally:
        running.kill()


class _Listener:
    """Keeps what a broker passes on, as topic, text, and whether it was retained there."""

    def __init__(self, running: _Broker) -> None:
        self.heard: list[tuple[str, str, bool]] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._hear
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", running.port)
        self.client.loop_start()
        self.client.subscribe("#", 1)
        assert self._subscribed.wait(PATIENCE_S)

    def __enter__(self) -> "_Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _hear(self, _client: Any, _data: Any, message: Any) -> None:
        with self._changed:
            self.heard.append((message.topic, message.payload.decode(), message.retain))
            self._changed.notify_all()

    def wait_for(self, is_done: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_done, PATIENCE_S), self.heard

    def of(self, topic: str) -> list[str]:
        return [text for heard, text, _ in self.heard if heard == topic]

    @property
    def tracks(self) -> list[int]:
        return [json.loads(text)["track"] for text in self.of(f"{_TOPIC}/events")]

    @property
    def states(self) -> list[str]:
        return self.of(f"{_TOPIC}/state")


def _retained(running: _Broker) -> dict[str, str]:
    """What whoever comes now is told at once."""
    with _Listener(running) as listener:
        listener.client.publish("mark", "the end", 1)
        listener.wait_for(lambda: bool(listener.of("mark")))
        return {topic: text for topic, text, is_retained in listener.heard if is_retained}


def _sender(
    address: str, delivery: Delivery, info: SourceInfo = _LIVE, prefix: str = ""
) -> EventSender:
    client = MqttClient(broker(address), info.name, prefix, PATIENCE_S)
    return EventSender("mqtt", info, client, delivery)


def _give(sender: EventSender, first: int, count: int) -> None:
    """Frames with a new person each, who appears."""
    for number in range(first, first + count):
        sender.write(AnnotatedFrame(frame(number), [track(number)], Overlay()))


def test_events_come_in_order_and_the_state_alone_is_retained(tmp_path: Path) -> None:
    delivery = Delivery("event")
    with _running(tmp_path) as running, _Listener(running) as listener:
        sender = _sender(running.address, delivery)
        _give(sender, 1, 20)
        listener.wait_for(lambda: bool(listener.states) and len(listener.tracks) == 20)
        assert _retained(running) == {f"{_TOPIC}/state": '{"online": true, "faces": 1}'}
        sender.write(AnnotatedFrame(frame(30), [track(1), track(2), track(3)], Overlay()))
        listener.wait_for(lambda: listener.states[-1] == '{"online": true, "faces": 3}')
        sender.close(complete=True)
        listener.wait_for(lambda: listener.states[-1] == "")
        assert _retained(running) == {}
    assert listener.tracks == list(range(1, 21))
    assert (delivery.sent, delivery.dropped, delivery.outages) == (20, 0, 0)
    topics = {topic for topic, _, _ in listener.heard} - {"mark"}
    assert topics == {f"{_TOPIC}/events", f"{_TOPIC}/state"}


_SENDS = """
import sys
from fakes import frame, track
from test_mqtt import _sender, _give, _LIVE
from stream.deliveries import Delivery
sender = _sender(sys.argv[1], Delivery("event"))
_give(sender, 1, 1)
sys.stdin.read()
"""


def test_the_last_will_clears_what_a_killed_program_leaves(tmp_path: Path) -> None:
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": f"{here}{os.pathsep}{here.parent}"}
    with _running(tmp_path) as running, _Listener(running) as listener:
        program = subprocess.Popen(
            [sys.executable, "-c", _SENDS, running.address],
            stdin=subprocess.PIPE,
            env=environment,
        )
        with program, stopped(program):
            for _ in range(6):  # to import takes its time on a busy machine
                with listener._changed:
                    listener._changed.wait_for(lambda: bool(listener.states), PATIENCE_S)
            assert _retained(running) == {f"{_TOPIC}/state": '{"online": true, "faces": 1}'}
            program.kill()
        listener.wait_for(lambda: listener.states[-1] == "")
        assert _retained(running) == {}


def test_events_wait_for_a_broker_that_was_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = Delivery("event")
    with _running(tmp_path) as running:
        sender = _sender(running.address, delivery)
        with _Listener(running) as listener:
            _give(sender, 1, 3)
            listener.wait_for(lambda: listener.tracks == [1, 2, 3] and bool(listener.states))
        running.kill()
        while not delivery.outages:
            assert sender._thread.is_alive()
            threading.Event().wait(0.01)
        running.start()
        with _Listener(running) as listener:
            _give(sender, 4, 5)
            listener.wait_for(lambda: len(listener.tracks) == 5 and bool(listener.states))
            sender.close(complete=True)
            assert listener.tracks == [4, 5, 6, 7, 8]
    assert (delivery.sent, delivery.dropped, delivery.outages) == (8, 0, 1)
    assert len(caplog.messages) == 2


def test_a_dead_broker_costs_its_events_alone(tmp_path: Path) -> None:
    with _running(tmp_path) as running:
        address = running.address
    delivery = Delivery("event")
    sender = _sender(address, delivery, _FILE)
    _give(sender, 1, 2000)
    with pytest.raises(SinkError, match="no event could be sent: Connection refused"):
        sender.close(complete=True)
    assert (delivery.sent, delivery.dropped) == (0, 2000)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_a_broker_that_takes_nothing_ends_with_the_run(tmp_path: Path) -> None:
    delivery = Delivery("event")
    with _running(tmp_path) as running:
        sender = _sender(running.address, delivery)
        _give(sender, 1, 1)
        while not delivery.sent:
            assert sender._thread.is_alive()
            threading.Event().wait(0.01)
        running.program.send_signal(signal.SIGSTOP)
        try:
            _give(sender, 2, 50)
            sender.close(complete=True)
        finally:
            running.program.send_signal(signal.SIGCONT)
    sender._thread.join(PATIENCE_S)
    assert not sender._thread.is_alive()
    assert delivery.sent + delivery.dropped == 51


def test_a_password_is_asked_for_and_never_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mosquitto_passwd = shutil.which("mosquitto_passwd")
    if mosquitto_passwd is None:
        pytest.skip("the program mosquitto_passwd is not there")
    users = tmp_path / "users"
    subprocess.run([mosquitto_passwd, "-b", "-c", str(users), "me", "p@ss word"], check=True)
    users.chmod(0o644)
    lines = ("allow_anonymous false", f"password_file {users}")
    with _running(tmp_path, *lines) as running:
        given = tmp_path / "broker.txt"
        given.write_text(running.address.replace("://", "://me:p%40ss%20word@"))
        delivery = Delivery("event")
        sender = _sender(f"@{given}", delivery, _FILE)
        _give(sender, 1, 2)
        sender.close(complete=True)
        assert (delivery.sent, delivery.dropped) == (2, 0)
        sender = _sender(running.address.replace("://", "://me:wrong@"), Delivery("event"), _FILE)
        _give(sender, 1, 1)
        with pytest.raises(SinkError, match="refuses the connection: Not authorized"):
            sender.close(complete=True)
    assert "p@ss" not in f"{caplog.text} {broker(f'@{given}')!r} {broker(f'@{given}')}"


def test_home_assistant_is_told_of_the_device_and_again_when_it_starts(tmp_path: Path) -> None:
    with _running(tmp_path) as running, _Listener(running) as listener:
        sender = _sender(running.address, Delivery("event"), prefix="homeassistant")

        def described() -> list[Any]:
            topics = {topic for topic, _, _ in listener.heard if topic.startswith("homeassistant/")}
            configs = (each for each in topics if each.endswith("/config"))
            return [json.loads(text) for topic in configs for text in listener.of(topic)]

        listener.wait_for(lambda: len(described()) == 1)
        listener.client.publish("homeassistant/status", "online", 1)
        listener.wait_for(lambda: len(described()) == 2)
        listener.wait_for(lambda: bool(listener.states))
        assert set(_retained(running)) == {f"{_TOPIC}/state"}
        sender.close(complete=True)
    first, again = described()
    assert first == again
    parts = first["components"]
    assert {name: part["platform"] for name, part in parts.items()} == {
        "faces": "sensor",
        "online": "binary_sensor",
        "events": "event",
    }
    assert parts["faces"]["state_topic"] == f"{_TOPIC}/state"
    assert parts["events"]["state_topic"] == f"{_TOPIC}/events"
    assert parts["events"]["event_types"] == ["appeared", "labelled", "gone"]
    assert len({part["unique_id"] for part in parts.values()}) == 3


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("mqtt://host", "name a topic"),
        ("mqtt://host/", "name a topic"),
        ("mqtt://host/a/%23", "name a topic without"),
        ("mqtt://host/a/+/b", "name a topic without"),
        ("mqtt://host/$SYS", "name a topic"),
        ("http://host/a", "it takes an address as mqtt://HOST/TOPIC"),
        ("mqtt:///a", "no valid host and port"),
        ("mqtt://me:secret@host", "name a topic"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        broker(address)
    assert "secret" not in str(raised.value)


def test_ports_are_those_of_the_protocol() -> None:
    assert (broker("mqtt://host/a").port, broker("mqtts://host/a").port) == (1883, 8883)
    assert broker("mqtts://host:1/a").is_encrypted and not broker("mqtt://host/a").is_encrypted
