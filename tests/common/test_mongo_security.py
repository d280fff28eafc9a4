"""A MongoDB that speaks TLS only and knows its users: who is let in, and what those are told who are not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from huiqun.service.settings import ConnectionSettings
from huiqun.store import (
    MongoOptions,
    StoreError,
    check_access,
    connect,
    explain_store_error,
    is_transient,
    ping_primary,
    transaction,
)
from local.certificates import Authority
from local.mongod import Mongod
from local.ports import LOOPBACK
from local.secured_mongod import SecuredMongod
from tests.shell import Shell
from tests.tls_terminator import tls_before

DATABASE = "huiqun_survey"


@dataclass(frozen=True)
class Site:
    """A secured server and how its user reaches it."""

    mongod: Mongod
    secured: SecuredMongod
    options: MongoOptions


@pytest_asyncio.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("secured")
    secured = SecuredMongod.make(directory / "tls", DATABASE)
    mongod = Mongod(directory, secured)
    await mongod.start()
    settings = ConnectionSettings(
        mongo_url=mongod.url,
        mongo_username=secured.user,
        mongo_password=SecretStr(secured.password),
        mongo_ca_file=secured.authority.file,
    )
    yield Site(mongod, secured, settings.mongo)
    await mongod.kill()


async def refusal(options: MongoOptions, database: str = DATABASE) -> str:
    """What is said to a client that is not let in; the service goes on trying."""
    client = connect(options, wait_milliseconds=500)
    with pytest.raises(StoreError) as refused:
        await check_access(client[database])
    await client.close()
    assert is_transient(refused.value)
    explained = explain_store_error(refused.value)
    assert explained is not None, refused.value
    return str(explained)


async def test_a_user_signs_in_over_tls_and_transactions_work(site: Site) -> None:
    client = connect(site.options)
    async with transaction(client) as session:
        await client[DATABASE]["notes"].insert_one({"_id": "kept"}, session=session)
    await check_access(client[DATABASE])
    assert await client[DATABASE]["notes"].find_one({"_id": "kept"})
    await client.close()


async def test_whom_the_server_does_not_let_in_is_told_what_to_set(site: Site, tmp_path: Path) -> None:
    good, other = site.options, Authority(tmp_path / "other")
    open_url = site.mongod.url
    for options, expected in (
        (replace(good, password=SecretStr("wrong-s3cret")), "HUIQUN_MONGO_PASSWORD"),
        (replace(good, username="nobody"), "HUIQUN_MONGO_USERNAME"),
        (replace(good, auth_source="elsewhere"), "HUIQUN_MONGO_AUTH_SOURCE"),
        (replace(good, username=None, password=None), "HUIQUN_MONGO_USERNAME"),
        (replace(good, ca_file=None), "HUIQUN_MONGO_CA_FILE"),
        (replace(good, ca_file=None, url=f"{open_url}&tls=true"), "HUIQUN_MONGO_CA_FILE"),
        (replace(good, ca_file=other.file), "HUIQUN_MONGO_CA_FILE"),
        (replace(good, certificate_file=other.issue("ours").both), "HUIQUN_MONGO_CERTIFICATE_FILE"),
        (replace(good, url=open_url.replace("rs0", "rs9")), "replicaSet="),
    ):
        said = await refusal(options)
        assert said.startswith("MongoDB "), said
        assert expected in said
        assert "s3cret" not in said
    assert "find on another_database" in await refusal(good, "another_database")


async def test_a_certificate_that_does_not_hold_is_told_with_what_is_wrong_with_it(
    site: Site, mongo_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "tls")
    port = int(mongo_url.split(":")[2].partition("/")[0])
    for pair, expected in (
        (authority.issue("expired", expired=True), "has expired"),
        (authority.issue("elsewhere", ("mongo.bank.example",)), "for another"),
        (site.secured.authority.issue("strange"), "HUIQUN_MONGO_CA_FILE"),
    ):
        async with tls_before(port, pair) as secured:
            url = f"mongodb://{LOOPBACK}:{secured}/?directConnection=true"
            assert expected in await refusal(MongoOptions(url, ca_file=authority.file))


async def test_a_server_without_tls_is_told_apart_from_one_that_is_away(mongo_url: str, tmp_path: Path) -> None:
    said = await refusal(MongoOptions(mongo_url, ca_file=Authority(tmp_path).file))
    assert "does not speak TLS" in said
    away = connect("mongodb://127.0.0.1:1/?replicaSet=rs0", wait_milliseconds=200)
    with pytest.raises(StoreError) as absence:
        await ping_primary(away)
    await away.close()
    assert explain_store_error(absence.value) is None


async def test_the_command_line_signs_in_and_says_in_one_line_why_it_cannot(site: Site) -> None:
    environment = site.secured.environment(site.mongod.url)
    created = await Shell(environment).run_successfully(
        "api-keys", "create", "-s", "survey", "--name", "it", "--role", "viewer"
    )
    assert "hq_" in created
    wrong = {**environment, "HUIQUN_MONGO_PASSWORD": "wrong-s3cret"}
    result = await Shell(wrong).run_command("api-keys", "list", "-s", "survey")
    assert (result.exit_code, "HUIQUN_MONGO_PASSWORD" in result.stderr) == (2, True)
    assert "s3cret" not in result.output
    assert "Traceback" not in result.output
