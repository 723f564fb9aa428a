"""Python that runs inside Snowflake: what it may import, and from where.

A procedure sees the standard library, the packages that it declares (from Snowflake's channel) and
the files that it imports from a stage. Where the tests run, everything else is installed and works.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from customer_insights.library import CARRIED

from .problem import Problem, docs
from .reference import SNOWPARK_PAGE, snowpark_functions

CHANNEL_FILE = Path(__file__).parents[1] / "emulator" / "packages.json"
LIBRARY_FOLDER = Path(__file__).parents[3] / "src"
LIBRARY = "customer_insights"
SNOWPARK_FUNCTIONS = "snowflake.snowpark.functions"

PACKAGES_PAGE = docs("developer-guide/udf/python/udf-python-packages")
RUNTIME_PAGE = docs("developer-guide/stored-procedure/python/procedure-python-overview")
IMPORTS_PAGE = docs("developer-guide/udf/python/udf-python-creating")

# The package that gives a module, where the names differ or several modules share one.
PACKAGE_OF = {
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "dateutil": "python-dateutil",
    "snowflake.snowpark": "snowflake-snowpark-python",
    "snowflake.connector": "snowflake-connector-python",
    "snowflake.ml": "snowflake-ml-python",
    "snowflake.cortex": "snowflake-ml-python",
}
# Snowflake installs what a package depends on with it (PACKAGES_PAGE). Snowpark is built on the
# connector; what scikit-learn needs: https://scikit-learn.org/stable/install.html
BROUGHT_ALONG = {
    "scikit-learn": {"joblib", "scipy", "threadpoolctl"},
    "snowflake-snowpark-python": {"snowflake-connector-python"},
}
# The runtime itself gives `_snowflake`.
# https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-designing
ALWAYS_THERE = {"_snowflake", "__future__"}
# Modules of the other engine: the library may import them where Snowflake never gets to.
LOCAL_ONLY = {"duckdb"}


@dataclass
class PythonLint:
    """The Python of one model, procedure or function, with what it declares."""

    where: str
    packages: Sequence[str]
    imports: Sequence[str]
    runtime: str | None = None
    library_folder: Path = LIBRARY_FOLDER
    visited: set[tuple[Path, bool]] = field(default_factory=set)

    def check(self, code: str | None, first_line: int = 1, handler: str = "") -> Iterator[Problem]:
        """Everything that would stop this code on Snowflake.

        Without code the handler is a function of a module that `imports` brings.
        """
        yield from self._check_declarations(first_line)
        module = handler.rpartition(".")[0]
        if code is not None:
            yield from self._check_code(code, self.where, first_line, is_lazy=False, package="")
        elif module.partition(".")[0] == LIBRARY:
            found = _Import(module, (), 1, is_lazy=False)
            yield from self._check_library(found, self.where, first_line, is_lazy=False)

    def _check_declarations(self, line: int) -> Iterator[Problem]:
        known = channel()
        if self.runtime is not None and self.runtime not in known["python"]:
            yield Problem(
                self.where,
                line,
                "runtime",
                f"Python {self.runtime} is no runtime; there are {', '.join(known['python'])}",
                RUNTIME_PAGE,
            )
        for requirement in self.packages:
            name, wanted = _split_requirement(requirement)
            versions = known["packages"].get(name)
            if versions is None:
                yield Problem(
                    self.where,
                    line,
                    "package",
                    f"the package {name} is not known to be in Snowflake's channel",
                    PACKAGES_PAGE,
                )
            elif wanted and not _is_met(wanted, versions):
                yield Problem(
                    self.where,
                    line,
                    "package",
                    f"{requirement}: the versions known to be in the channel are "
                    f"{', '.join(versions) or 'none'}; leave the package unpinned",
                    PACKAGES_PAGE,
                )

    def _check_code(
        self, code: str, where: str, first_line: int, *, is_lazy: bool, package: str
    ) -> Iterator[Problem]:
        try:
            read = _read(code, package)
        except SyntaxError as error:
            line = first_line + (error.lineno or 1) - 1
            yield Problem(where, line, "python", f"no Python: {error.msg}", IMPORTS_PAGE)
            return
        for found in read.imports:
            line = first_line + found.line - 1
            lazy = is_lazy or found.is_lazy
            if found.module.partition(".")[0] in (LIBRARY, *CARRIED):
                yield from self._check_library(found, where, line, lazy)
            else:
                problem = self._check_module(found.module, where, line, lazy)
                if problem:
                    yield problem
        for line, name in read.unknown_functions:
            yield Problem(
                where,
                first_line + line - 1,
                "snowpark",
                f"{SNOWPARK_FUNCTIONS} has no `{name}`",
                SNOWPARK_PAGE,
            )
        for line, name in read.versions:
            if _normal(name) not in self._declared():
                yield Problem(
                    where,
                    first_line + line - 1,
                    "import",
                    f"there are no metadata of {name} on Snowflake: it is no declared "
                    "package, and a zip on a stage has none",
                    IMPORTS_PAGE,
                )

    def _check_library(
        self, found: _Import, where: str, line: int, is_lazy: bool
    ) -> Iterator[Problem]:
        if not any(LIBRARY in path.rsplit("/", 1)[-1] for path in self.imports):
            yield Problem(
                where,
                line,
                "import",
                f"{found.module.partition('.')[0]} is imported, and no file of `imports` is the "
                f"zip of {LIBRARY}",
                IMPORTS_PAGE,
            )
            return
        folder = self._folder_of(found.module.partition(".")[0])
        for path, package in _library_files(folder, found):
            if (path, is_lazy) in self.visited or (path, False) in self.visited:
                continue
            self.visited.add((path, is_lazy))
            place = str(path.relative_to(folder.parent))
            yield from self._check_code(
                path.read_text(), place, 1, is_lazy=is_lazy, package=package
            )

    def _folder_of(self, package: str) -> Path:
        """Where the source lies that the library's zip has of a package."""
        if package == LIBRARY:
            return self.library_folder
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        return Path(spec.origin).parents[1]

    def _check_module(self, module: str, where: str, line: int, is_lazy: bool) -> Problem | None:
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top in ALWAYS_THERE:
            return None
        if is_lazy and top in LOCAL_ONLY and where != self.where:
            return None
        package = _package_of(module)
        if package in self._declared():
            return None
        return Problem(
            where,
            line,
            "import",
            f"{module} is imported at run time, and the package {package} is not declared "
            f"(by {self.where})" if where != self.where else
            f"{module} is imported, and the package {package} is not declared",
            PACKAGES_PAGE,
        )  # fmt: skip

    def _declared(self) -> set[str]:
        names = {_split_requirement(requirement)[0] for requirement in self.packages}
        for name in list(names):
            names |= BROUGHT_ALONG.get(name, set())
        return names


@dataclass(frozen=True)
class _Import:
    module: str
    names: tuple[str, ...]
    line: int
    is_lazy: bool


@dataclass(frozen=True)
class _Read:
    """What a text asks for: modules, and by line functions that are not there, and versions."""

    imports: tuple[_Import, ...]
    unknown_functions: tuple[tuple[int, str], ...]
    versions: tuple[tuple[int, str], ...]


@cache
def _read(code: str, package: str) -> _Read:
    """Every procedure imports the library, most of it the same files: each is read once."""
    tree = ast.parse(code)
    return _Read(
        tuple(_imports(tree, package)), tuple(_unknown_functions(tree)), tuple(_versions(tree))
    )


@cache
def channel() -> dict[str, Any]:
    """What is known of Snowflake's channel: `as_of`, `source`, `python` and `packages`."""
    return dict(json.loads(CHANNEL_FILE.read_text()))


def _imports(tree: ast.Module, package: str) -> Iterator[_Import]:
    """Every import of a module but those for type checkers and those that may fail.

    An import inside a function is lazy: it runs when the function is called.
    """

    def visit(nodes: Iterable[ast.AST], is_lazy: bool) -> Iterator[_Import]:
        for node in nodes:
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                yield from visit(node.orelse, is_lazy)
            elif isinstance(node, ast.Try) and _may_fail(node):
                yield from visit([*node.handlers, *node.orelse, *node.finalbody], is_lazy)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield _Import(alias.name, (), node.lineno, is_lazy)
            elif isinstance(node, ast.ImportFrom):
                names = tuple(alias.name for alias in node.names)
                yield from _import_from(node, names, package, is_lazy)
            else:
                inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from visit(ast.iter_child_nodes(node), is_lazy or inside)

    yield from visit(tree.body, False)


def _import_from(
    node: ast.ImportFrom, names: tuple[str, ...], package: str, is_lazy: bool
) -> Iterator[_Import]:
    module = node.module or ""
    if node.level:
        parts = package.split(".") if package else []
        parts = parts[: len(parts) - node.level + 1]
        module = ".".join([*parts, module]).rstrip(".")
    if module == "snowflake":
        for name in names:
            yield _Import(f"snowflake.{name}", (), node.lineno, is_lazy)
    else:
        yield _Import(module, names, node.lineno, is_lazy)


def _may_fail(node: ast.Try) -> bool:
    caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
    return "ImportError" in caught or "ModuleNotFoundError" in caught


def _library_files(folder: Path, found: _Import) -> Iterator[tuple[Path, str]]:
    """The files of the library that one import runs, each with the package that it lies in."""
    modules = [found.module, *(f"{found.module}.{name}" for name in found.names)]
    for module in modules:
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):
            path = folder.joinpath(*parts[:depth])
            if (path / "__init__.py").exists():
                yield path / "__init__.py", ".".join(parts[:depth])
            elif path.with_suffix(".py").exists():
                yield path.with_suffix(".py"), ".".join(parts[: depth - 1])


def _unknown_functions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Functions of `snowflake.snowpark.functions` that the module does not have."""
    module = SNOWPARK_FUNCTIONS
    aliases: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name for alias in node.names if alias.name == module}
        elif isinstance(node, ast.ImportFrom) and node.module == "snowflake.snowpark":
            aliases |= {
                alias.asname or alias.name for alias in node.names if alias.name == "functions"
            }
    for node in ast.walk(tree):
        used: list[tuple[int, str]] = []
        if isinstance(node, ast.ImportFrom) and node.module == module:
            used = [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in aliases:
            used = [(node.lineno, node.attr)]
        for line, name in used:
            if name not in snowpark_functions() and name != "*":
                yield line, name


def _versions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """`importlib.metadata.version(...)`, of which package."""
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "importlib.metadata"
        for alias in node.names
        if alias.name in ("version", "metadata", "distribution")
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called, argument = node.func, node.args[0]
        is_version = isinstance(called, ast.Name) and called.id in names
        if isinstance(called, ast.Attribute) and called.attr == "version":
            is_version = ast.unparse(called.value) in ("importlib.metadata", "metadata")
        if is_version and isinstance(argument, ast.Constant):
            yield node.lineno, str(argument.value)


def _package_of(module: str) -> str:
    parts = module.split(".")
    for depth in range(len(parts), 0, -1):
        name = ".".join(parts[:depth])
        if name in PACKAGE_OF:
            return PACKAGE_OF[name]
    return _normal(parts[0])


def _split_requirement(requirement: str) -> tuple[str, str]:
    match = re.match(r"\s*([\w.\-]+)(\[[^\]]*\])?\s*(.*)", requirement)
    return (_normal(match[1]), match[3].strip()) if match else (requirement, "")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_met(wanted: str, versions: Sequence[str]) -> bool:
    if wanted == "==*":  # Snowflake's words for any version
        return True
    try:
        return any(True for _ in SpecifierSet(wanted).filter(versions))
    except InvalidSpecifier:
        return False
