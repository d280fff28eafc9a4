"""Schemathesis reads the document of moderation's interface and tries what nobody thought of."""

import asyncio
import sys
from pathlib import Path

from tests.moderation.interface import Interface

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


async def test_no_request_makes_the_server_fail_or_break_its_document(own_interface: Interface, tmp_path: Path) -> None:
    fuzzer = await asyncio.create_subprocess_exec(
        str(SCHEMATHESIS),
        "run",
        f"{own_interface.served.url}/api/v1/openapi.json",
        f"--header=X-API-Key:{await own_interface.key('admin')}",
        f"--checks={CHECKS}",
        "--exclude-path=/readyz",  # here without topics, which is not its fault
        "--max-examples=3",
        "--phases=fuzzing",
        "--seed=7",
        "--no-color",
        cwd=tmp_path,  # where it keeps its notes
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, output.decode()
