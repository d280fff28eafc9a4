"""The Compose file: what stands in several places of it agrees, so that volumes and clients find their broker."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from huiqun.store import parse_mongo_url

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


def addresses(text: str) -> dict[str, str]:
    """Listener names and where they are, as Kafka's settings list them."""
    return dict(re.fullmatch(r"(\w+)://(.*)", each).groups() for each in text.split(","))  # type: ignore[union-attr,misc]


def test_every_listener_is_advertised_at_its_own_port_and_reached_from_its_side(compose: dict[str, Any]) -> None:
    kafka = compose["services"]["kafka"]
    settings = kafka["environment"]
    listeners, advertised = addresses(settings["KAFKA_LISTENERS"]), addresses(settings["KAFKA_ADVERTISED_LISTENERS"])
    protocols = dict(each.split(":") for each in settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert protocols.keys() == listeners.keys()
    assert advertised.keys() == listeners.keys() - {settings["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    for name, address in advertised.items():
        assert address.rpartition(":")[2] == listeners[name].rpartition(":")[2]
    inside, outside = advertised["INSIDE"], advertised["OUTSIDE"]
    assert settings["KAFKA_INTER_BROKER_LISTENER_NAME"] == "INSIDE"
    assert inside.partition(":")[0] in compose["services"]
    assert f"{outside}:{outside.rpartition(':')[2]}" in kafka["ports"]
    for name in ("moderation", "engagement", "crm-sync", "survey", "topics"):
        assert compose["services"][name]["environment"]["HUIQUN_KAFKA_BOOTSTRAP"] == inside


def test_the_brokers_identity_is_fixed_and_its_data_on_a_volume(compose: dict[str, Any]) -> None:
    kafka = compose["services"]["kafka"]
    assert len(base64.urlsafe_b64decode(kafka["environment"]["CLUSTER_ID"] + "==")) == 16
    (volume,) = kafka["volumes"]
    name, _, path = volume.partition(":")
    assert path == kafka["environment"]["KAFKA_LOG_DIRS"]
    assert name in compose["volumes"]


def test_services_name_the_replica_set_that_mongodb_is_started_and_initiated_with(compose: dict[str, Any]) -> None:
    mongodb = compose["services"]["mongodb"]
    name = mongodb["command"][mongodb["command"].index("--replSet") + 1]
    check = " ".join(mongodb["healthcheck"]["test"])
    for service in ("moderation", "engagement", "crm-sync", "survey"):
        environment = compose["services"][service]["environment"]
        (host,) = parse_mongo_url(environment["HUIQUN_MONGO_URL"]).hosts
        assert f"replicaSet={name}" in environment["HUIQUN_MONGO_URL"]
        assert f'_id: "{name}"' in check
        assert f'host: "{host}"' in check
        assert compose["services"][service]["depends_on"]["mongodb"]["condition"] == "service_healthy"
        assert compose["services"][service]["restart"] == "unless-stopped"
