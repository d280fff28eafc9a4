"""Schemathesis reads the interface's document and tries what nobody thought of."""

import asyncio
import sys
from pathlib import Path
from typing import Any

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


async def test_no_request_makes_the_server_fail_or_break_its_document(service: Any, tmp_path: Path) -> None:
    headers = await service.as_role("admin")
    options = [f"--header=Authorization:{headers['Authorization']}", f"--checks={CHECKS}", "--max-examples=4"]
    fuzzer = await asyncio.create_subprocess_exec(
        str(SCHEMATHESIS),
        "run",
        f"{service.url}/api/v1/openapi.json",
        *options,
        "--exclude-path=/api/v1/notes/broken",
        "--phases=coverage,fuzzing",
        "--seed=7",
        "--no-color",
        cwd=tmp_path,  # where it keeps its notes
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, output.decode()
