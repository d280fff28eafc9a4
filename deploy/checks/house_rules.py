"""Check sizes, links, clients, transactions, what slices import, and that no file names a machine's paths."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE = 300
LONGEST_FUNCTION = 50

# Written in halves, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:ho" + r"me|Us" + r"ers|wo" + r"rk|ro" + r"ot)/[\w.-]+|C:\\Us" + r"ers")
REGISTRY = re.compile(
    r"pypi\.o" + r"rg|pythonhos" + r"ted\.org|repo1?\.ma" + r"ven|registry\.np" + r"mjs|--(?:extra-)?index-u" + r"rl"
)
# Whoever connects past KafkaOptions.client_arguments() and MongoOptions forgets TLS and who signs in.
UNSECURED_CLIENT = re.compile(
    r"\bbootstrap_servers\s*=.*(?:kafka|options)\.bootstrap|(?<![.\w])\w+\(\s*(?:self\.)?_?settings\.mongo_url\b"
)
# The audit log reads what others have committed meanwhile; the other two open the transactions.
READS_OUTSIDE = frozenset(
    {
        Path("libs/common/src/huiqun/audit/log.py"),
        Path("libs/common/src/huiqun/work/transactor.py"),
        Path("libs/common/src/huiqun/work/unit_of_work.py"),
    }
)
# What a function that is given a unit of work would reach the database by, past its transaction.
PAST_THE_WORK = frozenset(
    {"OutsideTransaction", "outside_transaction", "database", "db", "reader", "client", "session"}
)
# The rooms of a slice that are its own; what others need of them, its handlers give.
PRIVATE_ROOMS = frozenset({"store", "personal_data"})
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")

Finding = tuple[Path, int, str]


def tracked_files() -> list[Path]:
    """List the files git knows or would add, without those it ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return [path for path in map(Path, listing.split("\0")) if path.is_file()]


def long_parts(path: Path, text: str) -> Iterator[Finding]:
    """Find a Python file that is too long, and functions that are."""
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        yield path, 1, f"{lines} lines; the limit is {LONGEST_FILE}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield path, node.lineno, f"{node.name} has {length} lines; the limit is {LONGEST_FUNCTION}"


def traces(path: Path, text: str) -> Iterator[Finding]:
    """Find what only holds on the machine the file was written on."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in ((MACHINE_PATH, "a machine's path"), (REGISTRY, "a package registry")):
            found = pattern.search(line)
            if found:
                yield path, number, f"names {what}: {found[0]}"


def unsecured_clients(path: Path, text: str) -> Iterator[Finding]:
    """Find clients that are made without what our options know of TLS and signing in."""
    for number, line in enumerate(text.splitlines(), 1):
        if UNSECURED_CLIENT.search(line):
            yield path, number, "makes a client without KafkaOptions.client_arguments(), or MongoOptions"


def reads_past_the_work(path: Path, text: str) -> Iterator[Finding]:
    """Find functions with a unit of work that reach the database past it, or do not take it first."""
    if path.parts[0] not in {"libs", "services"} or path in READS_OUTSIDE:
        return
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        arguments = [each for each in function.args.args if each.arg not in {"self", "cls"}]
        works = [each for each in arguments if each.arg == "work" and _is_unit_of_work(each)]
        if not works:
            continue
        if arguments[0].arg != "work":
            yield path, function.lineno, "takes a unit of work, but not first"
        for node in ast.walk(function):
            if not isinstance(node, ast.Name | ast.Attribute):
                continue
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name.lstrip("_") in PAST_THE_WORK:
                yield path, node.lineno, f"has a unit of work, and reaches the database past it, by {name}"


def _is_unit_of_work(argument: ast.arg) -> bool:
    return argument.annotation is None or ast.unparse(argument.annotation) == "Work"


def foreign_rooms(path: Path, text: str) -> Iterator[Finding]:
    """Find what a slice of a service imports of another slice that is that slice's own: its store, its holdings.

    Its routes are there for other routes, which answer with the same views. The composition root (the modules beside
    the slices) may import them all.
    """
    if path.parts[0] != "services" or len(path.parts) < 6:  # services/<service>/src/<package>/<slice>/<room>.py
        return
    package, own_slice = path.parts[3:5]
    closed = PRIVATE_ROOMS if path.stem == "api" else PRIVATE_ROOMS | {"api"}
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in imports:
        for name in _list_imported(node):
            parts = name.split(".")
            if len(parts) > 2 and parts[0] == package and parts[1] != own_slice and parts[2] in closed:
                what = f"imports {'.'.join(parts[:3])}, which is not for it: ask {package}.{parts[1]}.handlers"
                yield path, node.lineno, what
                break


def _list_imported(statement: ast.Import | ast.ImportFrom) -> list[str]:
    """The full names of what a statement imports."""
    if isinstance(statement, ast.Import):
        return [each.name for each in statement.names]
    return [f"{statement.module}.{each.name}" for each in statement.names if statement.module is not None]


def dead_links(path: Path, text: str) -> Iterator[Finding]:
    """Find links of a page to files that are not there."""
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if not (path.parent / target).exists():
                yield path, number, f"links to {target}, which does not exist"


def findings(path: Path) -> Iterator[Finding]:
    """Check one file; binary files are passed over."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    yield from traces(path, text)
    if path.suffix == ".py":
        yield from long_parts(path, text)
        yield from unsecured_clients(path, text)
        yield from reads_past_the_work(path, text)
        yield from foreign_rooms(path, text)
    if path.suffix == ".md":
        yield from dead_links(path, text)


def main() -> int:
    """Check every file of the repository in the current directory; print each finding as path:line: what."""
    files = tracked_files()
    found = [finding for path in files for finding in findings(path)]
    for path, line, what in found:
        print(f"{path}:{line}: {what}")
    print(f"House rules: {len(files)} files, {len(found)} findings.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
