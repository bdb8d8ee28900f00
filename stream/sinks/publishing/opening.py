"""The sinks that send results on, and what is checked before anything is written."""

import sys
from collections.abc import Iterator

from stream.controls import RunReport
from stream.deliveries import Delivery
from stream.errors import ConfigError
from stream.frames import SourceInfo
from stream.named_address import resolved
from stream.settings import Config
from stream.settings.publish_section import PublishSection
from stream.sinks.contract import Sink
from stream.sinks.outputs import Outputs
from stream.sinks.publishing import mqtt, virtual_camera
from stream.sinks.publishing.ending import Ending
from stream.sinks.publishing.event_sender import EventSender
from stream.sinks.publishing.live_video import LiveVideo
from stream.sinks.publishing.mqtt import MqttClient
from stream.sinks.publishing.relay import check_protocol
from stream.sinks.publishing.virtual_camera import VirtualCamera


def opened_publishers(
    config: Config, info: SourceInfo, outputs: Outputs, report: RunReport
) -> Iterator[Sink]:
    """The sinks that send on, each opened when it is asked for; none waits for its far end.

    Raises:
        ConfigError, SinkError: one cannot be had.
    """
    ending = Ending()
    for each in outputs.streams:
        yield LiveVideo(each, info, config, _delivery(report, str(each), "frame"), ending)
    if outputs.virtual_camera:
        yield VirtualCamera(info, config.camera, _delivery(report, "virtual camera", "frame"))
    settings = config.publish
    if outputs.mqtt is not None:
        broker, name = outputs.mqtt, f"mqtt ({outputs.mqtt})"
        client = MqttClient(broker, info.name, settings.discovery, settings.timeout_s)
        yield EventSender(name, info, client, _delivery(report, str(broker), "event"), ending)
    if not outputs.webhooks:
        return
    from stream.sinks.publishing.webhook import Webhook  # and with it HTTP and TLS

    secret = secret_of(settings)
    for service in outputs.webhooks:
        webhook = Webhook(service, secret, settings.timeout_s)
        delivery = _delivery(report, str(service), "event")
        yield EventSender(f"webhook ({service})", info, webhook, delivery, ending)


def check_publishers(config: Config, outputs: Outputs) -> None:
    """Checks that what it takes to send results on is there.

    1. Something here knows the protocol of each address, and no terminal gets video.
    2. The packages of extras are installed, and the secret can be read.

    Raises:
        ConfigError: a check fails.
    """
    for each in outputs.streams:
        check_protocol(each)
        if each.kind == "pipe" and sys.stdout is not None and sys.stdout.isatty():
            raise ConfigError("--save - is video, which no terminal shows: pass it on with a |")
    if outputs.virtual_camera:
        virtual_camera.check_package()
    if outputs.mqtt is not None:
        mqtt.check_package()
    if outputs.webhooks:
        secret_of(config.publish)


def secret_of(settings: PublishSection) -> str:
    """The secret that webhooks are signed with; empty for none.

    Raises:
        ConfigError: what should hold it does not.
    """
    secret = settings.webhook_secret
    return resolved(secret, "secret", ConfigError) if secret else ""


def _delivery(report: RunReport, name: str, unit: str) -> Delivery:
    """The counts of a destination; of two that are shown alike each has its own."""
    key, number = name, 2
    while key in report.deliveries:
        key, number = f"{name} ({number})", number + 1
    return report.deliveries.setdefault(key, Delivery(unit))
