"""Results sent on while they come: video streams, a virtual camera, MQTT, webhooks."""
