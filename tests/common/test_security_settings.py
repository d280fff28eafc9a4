"""What an operator sets about TLS and users: what does not go together is refused, and nothing secret is ever shown."""

import io
import json
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from huiqun.service.settings import ConnectionSettings, describe_settings_errors
from huiqun.telemetry import configure_logs
from local.certificates import Authority
from tests.common.test_settings import start

SECRET = "s3cret:/@%"
SASL = {
    "HUIQUN_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "HUIQUN_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "HUIQUN_KAFKA_USERNAME": "huiqun",
    "HUIQUN_KAFKA_PASSWORD": SECRET,
}
MONGO = {"HUIQUN_MONGO_USERNAME": "huiqun", "HUIQUN_MONGO_PASSWORD": SECRET}


def without(variables: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in names}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """What certificates there are, by the names that the cases below give them."""
    authority = Authority(tmp_path / "tls")
    own, other = authority.issue("own"), authority.issue("other")
    locked = authority.issue("locked", password="key-pass")
    return {
        "CA": str(authority.file),
        "CERT": str(own.certificate),
        "KEY": str(own.key),
        "BOTH": str(own.both),
        "OTHER_KEY": str(other.key),
        "LOCKED": str(locked.certificate),
        "LOCKED_KEY": str(locked.key),
        "LOCKED_BOTH": str(locked.both),
        "NOWHERE": str(tmp_path / "nowhere.pem"),
        "FOLDER": str(tmp_path),
    }


def read(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], files: Mapping[str, str]) -> ConnectionSettings:
    """The settings of an environment, whose values may name files as {CA}."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(**files) if value.startswith("{") else value)
    return ConnectionSettings()


REFUSED: list[tuple[dict[str, str], str]] = [
    (without(SASL, "HUIQUN_KAFKA_SASL_MECHANISM"), "HUIQUN_KAFKA_SASL_MECHANISM must be set too"),
    (without(SASL, "HUIQUN_KAFKA_USERNAME"), "HUIQUN_KAFKA_USERNAME must be set too"),
    (without(SASL, "HUIQUN_KAFKA_PASSWORD"), "HUIQUN_KAFKA_PASSWORD must be set too"),
    ({**SASL, "HUIQUN_KAFKA_PASSWORD": ""}, "HUIQUN_KAFKA_PASSWORD must be set too"),
    ({"HUIQUN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "HUIQUN_KAFKA_SASL_MECHANISM, HUIQUN_KAFKA_USERNAME"),
    (without(SASL, "HUIQUN_KAFKA_SECURITY_PROTOCOL"), "set it to SASL_SSL or SASL_PLAINTEXT"),
    ({**SASL, "HUIQUN_KAFKA_SECURITY_PROTOCOL": "SSL"}, "set it to SASL_SSL, or unset"),
    ({"HUIQUN_KAFKA_PASSWORD": SECRET}, "nobody would sign in"),
    ({"HUIQUN_KAFKA_CA_FILE": "{CA}"}, "set it to SSL or SASL_SSL, or unset HUIQUN_KAFKA_CA_FILE"),
    (
        {**SASL, "HUIQUN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "HUIQUN_KAFKA_CA_FILE": "{CA}"},
        "nothing would be encrypted: set it to SASL_SSL",
    ),
    ({**SASL, "HUIQUN_KAFKA_SASL_MECHANISM": "GSSAPI"}, "HUIQUN_KAFKA_SASL_MECHANISM: Input should be 'PLAIN'"),
    ({"HUIQUN_KAFKA_SECURITY_PROTOCOL": "TLS"}, "HUIQUN_KAFKA_SECURITY_PROTOCOL: Input should be 'PLAINTEXT'"),
    ({**SASL, "HUIQUN_KAFKA_CA_FILE": "{NOWHERE}"}, "HUIQUN_KAFKA_CA_FILE is"),
    ({**SASL, "HUIQUN_KAFKA_CA_FILE": "{FOLDER}"}, "cannot be read"),
    ({**SASL, "HUIQUN_KAFKA_CA_FILE": "{KEY}"}, "holds no certificate"),
    ({**SASL, "HUIQUN_KAFKA_KEY_FILE": "{KEY}"}, "HUIQUN_KAFKA_CERTIFICATE_FILE must be set too"),
    ({**SASL, "HUIQUN_KAFKA_KEY_PASSWORD": SECRET}, "HUIQUN_KAFKA_CERTIFICATE_FILE must be set too"),
    ({**SASL, "HUIQUN_KAFKA_CERTIFICATE_FILE": "{CERT}"}, "or in HUIQUN_KAFKA_KEY_FILE"),
    (
        {**SASL, "HUIQUN_KAFKA_CERTIFICATE_FILE": "{CERT}", "HUIQUN_KAFKA_KEY_FILE": "{OTHER_KEY}"},
        "whose key is another",
    ),
    (
        {**SASL, "HUIQUN_KAFKA_CERTIFICATE_FILE": "{LOCKED}", "HUIQUN_KAFKA_KEY_FILE": "{LOCKED_KEY}"},
        "HUIQUN_KAFKA_KEY_PASSWORD if the key is encrypted",
    ),
    ({"HUIQUN_MONGO_USERNAME": "huiqun"}, "set both or neither"),
    ({"HUIQUN_MONGO_PASSWORD": SECRET}, "set both or neither"),
    ({**MONGO, "HUIQUN_MONGO_URL": "mongodb://u:p@h/?replicaSet=rs0"}, "has a user of its own"),
    ({"HUIQUN_MONGO_AUTH_SOURCE": "admin"}, "set HUIQUN_MONGO_USERNAME and _PASSWORD too"),
    ({"HUIQUN_MONGO_URL": "mongodb://h/?tls=false", "HUIQUN_MONGO_CA_FILE": "{CA}"}, "says tls=false"),
    ({"HUIQUN_MONGO_URL": "mongodb://h/?tls=true&tlsInsecure=true"}, "turns the check of the server's certificate off"),
    ({"HUIQUN_MONGO_URL": "mongodb://h/?tls=true&tlsAllowInvalidHostnames=true"}, "take tlsinsecure"),
    ({"HUIQUN_MONGO_URL": "postgres://h/"}, "no address of MongoDB"),
    ({"HUIQUN_MONGO_URL": f"mongodb://u:{SECRET}@h/"}, "no address of MongoDB"),
    ({"HUIQUN_MONGO_KEY_PASSWORD": SECRET}, "HUIQUN_MONGO_CERTIFICATE_FILE must be set too"),
    ({"HUIQUN_MONGO_CERTIFICATE_FILE": "{CERT}"}, "its key in the same file"),
    ({"HUIQUN_MONGO_CERTIFICATE_FILE": "{LOCKED_BOTH}"}, "HUIQUN_MONGO_KEY_PASSWORD if the key is encrypted"),
    ({"HUIQUN_MONGO_CA_FILE": "{NOWHERE}"}, "set it to a PEM file"),
]


@pytest.mark.parametrize(("variables", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_settings_that_make_no_sense_together_are_refused_with_what_to_set(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        read(monkeypatch, variables, files)
    (line,) = describe_settings_errors(ConnectionSettings, refusal.value)
    assert said in line
    assert line.startswith("HUIQUN_")
    assert "s3cret" not in line + str(refusal.value) + repr(refusal.value)


TAKEN: list[dict[str, str]] = [
    {},
    SASL,
    {**SASL, "HUIQUN_KAFKA_CA_FILE": "{CA}"},
    {**SASL, "HUIQUN_KAFKA_CERTIFICATE_FILE": "{BOTH}"},
    {
        **SASL,
        "HUIQUN_KAFKA_CERTIFICATE_FILE": "{LOCKED}",
        "HUIQUN_KAFKA_KEY_FILE": "{LOCKED_KEY}",
        "HUIQUN_KAFKA_KEY_PASSWORD": "key-pass",
    },
    {"HUIQUN_KAFKA_SECURITY_PROTOCOL": "SSL"},
    {name: "" for name in SASL if not name.endswith("PROTOCOL")},
    MONGO,
    {**MONGO, "HUIQUN_MONGO_AUTH_SOURCE": "bank", "HUIQUN_MONGO_CA_FILE": "{CA}"},
    {"HUIQUN_MONGO_CERTIFICATE_FILE": "{LOCKED_BOTH}", "HUIQUN_MONGO_KEY_PASSWORD": "key-pass"},
    {"HUIQUN_MONGO_URL": "mongodb+srv://cluster.example.com/?retryWrites=true", "HUIQUN_MONGO_CA_FILE": "{CA}"},
    {"HUIQUN_MONGO_URL": "mongodb://u:p@h1,h2:27018/?replicaSet=rs0&tls=true", "HUIQUN_MONGO_AUTH_SOURCE": "bank"},
]


@pytest.mark.parametrize("variables", TAKEN, ids=range(len(TAKEN)))
def test_settings_that_make_sense_are_taken(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    settings = read(monkeypatch, variables, files)
    assert settings.kafka.client_arguments()["bootstrap_servers"] == settings.kafka_bootstrap
    assert not list(settings.warnings(settings.mongo_url))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {**SASL, "HUIQUN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "HUIQUN_KAFKA_SASL_MECHANISM": "PLAIN"},
            "SCRAM-SHA-512",
        ),
        ({**MONGO, "HUIQUN_MONGO_URL": "mongodb://h/?authMechanism=PLAIN"}, "tls=true"),
    ],
)
def test_a_password_that_travels_in_the_clear_is_warned_of(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    settings = read(monkeypatch, variables, files)
    (warning,) = settings.warnings(settings.mongo_url)
    assert ("in the clear" in warning, said in warning) == (True, True)


def test_a_password_may_stand_in_a_mounted_file(tmp_path: Path) -> None:
    for name, value in {**SASL, **MONGO}.items():
        (tmp_path / name.lower()).write_text(f"{value}\n", encoding="utf-8")
    settings = ConnectionSettings(_secrets_dir=tmp_path)
    arguments = settings.kafka.client_arguments()
    assert (arguments["sasl_mechanism"], arguments["sasl_plain_password"]) == ("SCRAM-SHA-512", SECRET)
    assert settings.mongo.arguments()["password"] == SECRET


def test_nothing_that_can_be_printed_shows_a_secret(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    own = {"HUIQUN_KAFKA_CERTIFICATE_FILE": "{BOTH}", "HUIQUN_KAFKA_KEY_PASSWORD": SECRET}
    settings = read(monkeypatch, {**SASL, **MONGO, **own}, files)
    in_url = ConnectionSettings(mongo_url="mongodb://u:s3cret@h/", mongo_username=None, mongo_password=None)
    for thing in (settings, settings.kafka, settings.kafka_security, settings.mongo, in_url, in_url.mongo):
        assert "s3cret" not in repr(thing) + str(thing)
    assert "s3cret" not in settings.model_dump_json()


async def test_a_service_ends_with_one_line_over_settings_that_contradict_each_other() -> None:
    keys = {
        "HUIQUN_HASH_KEY": "a key of these tests",
        "HUIQUN_ENCRYPTION_KEY": "another key of these tests",
        "HUIQUN_LINK_KEY": "a third key of these tests",
    }
    code, said = await start("survey", **keys, **without(SASL, "HUIQUN_KAFKA_USERNAME"))
    expected = "HUIQUN_KAFKA_SECURITY_PROTOCOL is SASL_SSL, so HUIQUN_KAFKA_USERNAME must be set too"
    assert (code, said.splitlines()) == (2, [f"{expected} (mechanisms: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512)"])


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR"])
def test_drivers_never_log_their_requests_and_repeat_themselves_seldom(level: str) -> None:
    before, drivers = logging.getLogger().handlers, [logging.getLogger(name) for name in ("aiokafka", "pymongo")]
    stream = io.StringIO()
    try:
        configure_logs("survey", level, stream)
        connection = logging.getLogger("aiokafka.conn")
        connection.debug("Request to %s: %s", "broker", f"SaslAuthenticate({SECRET})")
        logging.getLogger("pymongo.command").debug("insert %s", SECRET)
        for number in range(1_000):
            connection.error("Unable connect to node with id %s", number)
        logging.getLogger("huiqun").error("something else")
        logging.getLogger("huiqun").error("something else")
    finally:
        logging.getLogger().handlers = before
        for driver in drivers:
            driver.setLevel(logging.NOTSET)
    lines = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert lines == ["Unable connect to node with id 0", "something else", "something else"]
