"""What MkDocs does besides the pages in this folder.

- The folders in `BESIDE` stand next to `docs/` and are part of the site as they are: a page links to them as it does in
  the repository (`../figures/README.md`).
- Each package has a page in the API reference, with the names of its `__all__`; that of `cli` has the commands.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "confesslens"
BESIDE = {"figures": (".md", ".png", ".svg", ".csv"), "probes": (".md",), "notebooks": (".ipynb",)}
_OUTSIDE = re.compile(rf"\]\(\.\./({'|'.join(BESIDE)})/")


def on_files(files: Any, config: Any) -> Any:
    """Add what stands beside `docs/`, and the API reference."""
    from mkdocs.structure.files import File

    for folder, kinds in BESIDE.items():
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in kinds:
                name = path.relative_to(ROOT).as_posix()
                files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    for name in packages():
        files.append(File.generated(config, f"api/{name}.md", content=api_page(name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links out of `docs/` into links of the site, and list the figures that are there."""
    if page.file.src_uri == "figures/README.md":
        made = sorted(path.parent.name for path in (ROOT / "figures").glob("*/README.md"))
        markdown = "\n".join([markdown, "## Made so far", "", *(f"- [{name}]({name}/README.md)" for name in made)])
    if page.file.src_uri.split("/")[0] in BESIDE:
        return markdown.replace("](../docs/", "](../")
    return _OUTSIDE.sub(r"](\1/", markdown)


def packages() -> list[str]:
    """`confesslens` and the packages in it."""
    return [PACKAGE.name, *sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))]


def api_page(name: str) -> str:
    """The page of a package: its docstring, then each public name where it is defined."""
    folder = PACKAGE if name == PACKAGE.name else PACKAGE / name
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    if name == "cli":
        return "\n\n".join(
            ["# The command line", "Every command, as `confesslens COMMAND --help` has it.", *_commands()]
        )
    parts = [f"# {name}", ast.get_docstring(tree) or ""]
    names, homes = _public(tree)
    if not names:  # a package that offers its modules
        modules = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
        parts += [_entry(f"confesslens.{name}.{module}", module) for module in modules]
    elsewhere = []
    for one in names:
        home = _definition(homes[one]) if one in homes else f"{PACKAGE.name}.{name}.{one}"
        if name != PACKAGE.name or home.split(".")[1] not in packages():
            parts.append(_entry(home, one))
        elif one in packages():
            elsewhere.append(f"- [`{one}`]({one}.md)")
        else:
            elsewhere.append(f"- [`{one}`][{home}]")
    return "\n\n".join([*parts[:2], "\n".join(elsewhere), *parts[2:]])


def _public(tree: ast.Module) -> tuple[list[str], dict[str, str]]:
    """The names in `__all__`, and the full name of each that is imported from within the package."""
    names: list[str] = []
    homes: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE.name):
            homes |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names, homes


def _definition(home: str) -> str:
    """Follow a name that a package imports from its module to that module."""
    module, name = home.rsplit(".", 1)
    init = ROOT / "src" / Path(*module.split(".")) / "__init__.py"
    if not init.is_file():
        return home
    return _public(ast.parse(init.read_text(encoding="utf-8")))[1].get(name, home)


def _entry(path: str, heading: str) -> str:
    options = {"show_root_heading": "true", "heading": heading, "toc_label": heading}
    if heading.isupper() or path.startswith("confesslens.config."):  # name and value say what it is
        options["show_if_no_docstring"] = "true"
    return "\n".join([f"::: {path}", "    options:", *(f"      {key}: {value}" for key, value in options.items())])


def _commands() -> list[str]:
    from typer.main import get_command

    from confesslens.cli import app

    return _described("confesslens", get_command(app))


def _described(name: str, command: Any) -> list[str]:
    """Every command under this one, with its arguments and options."""
    if hasattr(command, "commands"):
        return [part for child, one in command.commands.items() for part in _described(f"{name} {child}", one)]
    rows = []
    for one in command.params:
        if one.param_type_name == "option":
            shown = ", ".join([*one.opts, *one.secondary_opts])
        else:
            shown = one.metavar or one.name.upper()
        told = one.help or ""
        if one.default is not None and not isinstance(one.default, bool):
            told += f" (default `{one.default}`)"
        rows.append(f"| `{shown}` | {told} |")
    table = ["| option | is |", "|---|---|", *rows] if rows else []
    return [f"## {name}", command.help or "", "\n".join(table)]
