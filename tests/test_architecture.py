"""Rules of the design that no linter holds, and the budgets, which are told and not enforced."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("controller", "mapping", "optics", "hil")
FOLDERS = {*PACKAGES, "tests", "boards"}

NUMERIC = ("numpy", "scipy", "cv2")
WORLDLY = ("asyncio", "os", "pathlib", "socket", "sqlite3", "subprocess", "threading", "time")
DRIVER_KINDS = ("stage", "laser", "camera", "detector", "board")
NUMERIC_OPTICS = (
    "optics.key_rate",
    "optics.native",
    "optics.photon_statistics",
    "optics.pixels",
    "optics.psf",
    "optics.sensor",
)
OPTICS_OPEN_TO_MAPPING = ("optics.quantities", *NUMERIC_OPTICS)

FILE_LINES, FUNCTION_LINES, SHORT_FUNCTION_LINES = 300, 40, 25
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """Every dotted name the file may reach by an import, wherever in the file it stands."""
    package = module(path.parent)
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = resolve_name("." * node.level + (node.module or ""), package)
            names |= {home, *(f"{home}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def is_within(imported: str, *modules: str) -> bool:
    return any(imported == module or imported.startswith(f"{module}.") for module in modules)


def importers(paths: list[Path], *modules: str) -> list[str]:
    return [name(path) for path in paths if any(is_within(n, *modules) for n in imports(path))]


def awaits(path: Path) -> bool:
    return any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(parsed(path)))


def drivers() -> list[Path]:
    return [path for path in sources("optics") if path.stem.endswith(DRIVER_KINDS)]


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, Function):
            yield node


def lines_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_a_module_computes_or_awaits_never_both() -> None:
    """A blocked loop hides in a module that does both; the guards cannot see long C code."""
    assert importers([path for path in sources(*PACKAGES) if awaits(path)], *NUMERIC) == []


def test_mapping_is_pure() -> None:
    """Values in, values out: no device, no file, no clock, no await."""
    paths = sources("mapping")
    assert importers(paths, *WORLDLY) == []
    assert [name(path) for path in paths if awaits(path)] == []


def test_mapping_sees_no_device() -> None:
    reached = {
        f"{name(path)} imports {imported}"
        for path in sources("mapping")
        for imported in imports(path)
        if is_within(imported, "optics") and imported != "optics"
        if not is_within(imported, *OPTICS_OPEN_TO_MAPPING)
    }
    assert reached == set()


def test_drivers_do_not_know_each_other() -> None:
    for driver in drivers():
        others = [module(path) for path in drivers() if path != driver]
        assert importers([driver], *others) == []


def test_only_the_hardware_file_names_drivers() -> None:
    """The numeric files of optics know no driver either, nor the link beneath them."""
    paths = [path for path in sources("controller") if name(path) != "controller/hardware.py"]
    assert importers(paths, *map(module, drivers())) == []
    numeric = [path for path in sources("optics") if module(path) in NUMERIC_OPTICS]
    assert importers(numeric, "optics.link", *map(module, drivers())) == []


def test_nobody_imports_the_boards_and_they_import_nobody() -> None:
    assert importers(sources(*PACKAGES, "tests"), "boards") == []
    assert importers(sources("boards"), *PACKAGES, "tests") == []


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_top_level_is_the_cards() -> None:
    visible = {path for path in ROOT.iterdir() if not path.name.startswith((".", "__pycache__"))}
    assert {path.name for path in visible if path.is_dir()} <= FOLDERS
    assert [path.name for path in visible if path.suffix == ".py"] == []


def test_nothing_hides_a_standard_module() -> None:
    """Folders that may come first on the path: the root by `-m`, the others by their scripts.

    Inside a package the same name is harmless, because it is never imported bare.
    """
    scripts = [path for path in sources("tests", "boards") if path.stem in sys.stdlib_module_names]
    assert [name(path) for path in scripts] == []
    assert FOLDERS.isdisjoint(sys.stdlib_module_names)


def test_tests_are_no_package() -> None:
    """With an `__init__.py` they could be installed, or hide somebody else's tests."""
    assert [name(path) for path in sources("tests") if path.stem == "__init__"] == []


def test_nothing_is_a_stub() -> None:
    """What does not exist yet is absent."""
    hollow = [
        f"{name(path)}:{function.lineno} {function.name}"
        for path in sources(*PACKAGES)
        for function in functions(path)
        if function not in promised(path) and is_hollow(function.body[-1])
    ]
    assert hollow == []


def promised(path: Path) -> set[ast.stmt]:
    """Methods of protocols: they are shapes, and others fill them."""
    classes = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    shapes = [node for node in classes if "Protocol" in map(ast.unparse, node.bases)]
    return {statement for shape in shapes for statement in shape.body}


def is_hollow(statement: ast.stmt) -> bool:
    return ast.unparse(statement).startswith(("...", "raise NotImplementedError"))


def test_every_command_is_offered() -> None:
    command = [sys.executable, "-m", "controller", "--help"]
    words = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split()
    paths = sources("controller/commands")
    commands = {path.stem for path in paths if "add_to" in {f.name for f in functions(path)}}
    assert commands - set(words) == set()


def budget_report() -> list[str]:
    """How the code stands against its budgets: a share, then what is over."""
    paths = sources(*PACKAGES, "tests")
    found = [(path, function) for path in paths for function in functions(path)]
    short = sum(lines_of(function) <= SHORT_FUNCTION_LINES for _, function in found)
    sizes = [(len(path.read_text().splitlines()), FILE_LINES, name(path)) for path in paths]
    sizes += [(lines_of(node), FUNCTION_LINES, f"{name(path)} {node.name}") for path, node in found]
    share = f"{short / len(found):.1%} within {SHORT_FUNCTION_LINES} lines (budget 95%)"
    return [
        f"budgets: {len(paths)} files, {len(found)} functions, {share}",
        *(
            f"  {lines} lines, budget {budget}: {at}"
            for lines, budget, at in sizes
            if lines > budget
        ),
    ]
