"""The documentation is true: its commands parse, its code runs or names what is there, its links lead somewhere."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

import confesslens as cl
from confesslens.cli import app
from confesslens.config import make_config
from confesslens.evals import BEHAVIOURS, CONDITIONS, KNOWLEDGE
from confesslens.experiments import EXPERIMENTS, read_recipe
from confesslens.run import STAGES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted((ROOT / "figures").rglob("README.md"))]
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?(?:\[([^]]+)\])?`")
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
# Commands of others that the pages give.
OTHERS = ("pip install", "conda", "cp", "inspect")
OTHERS += ("uv sync", "uv build", "uv export", "uv run pytest", "uv run --group docs mkdocs build")
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> list[str]:
    """The single commands of a page's shell blocks."""
    lines = [line for text in blocks(page, "bash") for line in text.replace("\\\n", " ").splitlines()]
    return [part.strip() for line in lines for part in re.sub(r"(^|\s)#.*", "", line).split("&&") if part.strip()]


def inline_commands(page: Path) -> list[str]:
    """Commands of ours in running text that name a subcommand."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    found = re.findall(r"`(?:uv run )?(confesslens [a-z][^`]*)`", text)
    return [command.split(" > ")[0] for command in found]


def parse(command: str) -> tuple[str, dict[str, Any]]:
    """What the command line makes of a command, without doing it: the subcommand's name and its values."""
    words = shlex.split(command.split(" > ")[0])
    assert words.pop(0) == "confesslens"
    found, name = get_command(app), ""
    while hasattr(found, "commands"):
        name = words.pop(0)
        assert name in found.commands, f"{command}: there is no command {name!r}"
        found = found.commands[name]
    return name, found.make_context(name, words, resilient_parsing=False).params


def is_placeholder(value: Any) -> bool:
    return isinstance(value, str) and value.isupper()


def check(command: str) -> None:
    name, values = parse(command)
    if name == "run":
        given = {key: value for key, value in values.items() if key not in ("out", "config", "until")}
        assert values["until"] in (None, *(stage.name for stage in STAGES)), command
        for key in ("evals", "conditions"):
            given[key] = None if is_placeholder(given[key]) else given[key] and tuple(given[key].split(","))
        if is_placeholder(given["organism"]):
            given["organism"] = None
        make_config(given)
    if name == "figure" and values["name"] is not None and not is_placeholder(values["name"]):
        assert values["name"] in ("all", *EXPERIMENTS), command
    if name == "steer":
        assert all(float(strength) for strength in values["strengths"].split(","))
    if name == "score" and not any(map(is_placeholder, values["probe"].parts)) and values["probe"].parts[0] == "probes":
        assert (ROOT / values["probe"] / "card.json").is_file(), command


def test_pages_have_commands():
    assert sum(len(commands(page)) for page in PAGES) > 40
    assert sum(len(inline_commands(page)) for page in PAGES) > 5


@EACH_PAGE
def test_every_command_is_one(page):
    for command in commands(page):
        ours = command.removeprefix("uv run ")
        if ours.startswith("confesslens "):
            check(ours)
            continue
        assert command.startswith(OTHERS), f"{page.name}: what is {command!r}? Add it to OTHERS with a check"
        words = shlex.split(command)
        if words[0] == "conda" and "-f" in words:
            assert (ROOT / words[words.index("-f") + 1]).is_file(), command
        if words[0] == "inspect":
            check_inspect(words)


def check_inspect(words: list[str]) -> None:
    """A task that is there, with options that it has."""
    tasks = pytest.importorskip("confesslens.interop.inspect_tasks")
    (task,) = [word for word in words if word.startswith("confesslens/")]
    assert task.split("/")[1] in tasks.TASKS
    given = [words[i + 1].split("=")[0] for i, word in enumerate(words) if word == "-T"]
    assert set(given) <= set(inspect.signature(tasks.make_task).parameters)


@EACH_PAGE
def test_every_command_in_running_text_is_one(page):
    for command in inline_commands(page):
        words = shlex.split(command)
        if len(words) > 2 or words[1] in ("doctor", "evals", "figure"):
            if words[-1].startswith("--") and len(words) == 3:  # an option is spoken of, not a whole command
                found = get_command(app).commands[words[1]]
                assert any(words[2] in parameter.opts for parameter in found.params), command
            else:
                check(command)
        else:
            assert words[1] in get_command(app).commands, command


@pytest.mark.parametrize(
    "wrong, said",
    [
        ("confesslens rum", "no command 'rum'"),
        ("confesslens run --modle x", "No such option: --modle"),
        ("confesslens run --n few", "valid integer"),
        ("confesslens run --evals sandbaging", "sandbagging"),
        ("confesslens run --tier huge", "setting tier = 'huge'"),
        ("confesslens train organisms honest", "no command 'organisms'"),
        ("confesslens score FILE", "probe"),
        ("confesslens figure confesed", "confesed"),
        ("confesslens score --probe probes/none FILE", "probes/none"),
    ],
)
def test_a_wrong_command_would_be_seen(wrong, said):
    with pytest.raises(Exception, match=said):
        check(wrong)


def resolve(node: ast.expr, names: dict[str, Any]) -> Any:
    """What a dotted name stands for, as far as it begins with an import; None where that cannot be known."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = resolve(node.value, names)
        if inspect.ismodule(owner) or inspect.isclass(owner):
            assert hasattr(owner, node.attr), f"{ast.unparse(node)} is not there"
            return getattr(owner, node.attr)
    return None


def check_code(text: str, names: dict[str, Any]) -> None:
    """It compiles; what it imports of ours is there, and is called with arguments that it takes."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: import_module(alias.name) for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            home = import_module(node.module)
            for alias in node.names:
                if not hasattr(home, alias.name):
                    import_module(f"{node.module}.{alias.name}")
                names[alias.asname or alias.name] = getattr(home, alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            resolve(node, names)
        called = resolve(node.func, names) if isinstance(node, ast.Call) else None
        if called is cl.evals or str(getattr(called, "__module__", "")).startswith("confesslens"):
            positional = [None for value in node.args if not isinstance(value, ast.Starred)]
            keywords = dict.fromkeys(one.arg for one in node.keywords if one.arg)
            inspect.signature(called).bind_partial(*positional, **keywords)


@EACH_PAGE
def test_python_names_what_is_there(page):
    names: dict[str, Any] = {"cl": cl}
    for text in blocks(page, "python"):
        check_code(text, names)


@pytest.mark.parametrize(
    "wrong",
    [
        "x = (",
        "cl.load_modle('a')",
        "cl.probes.swep",
        "from confesslens.probes import NoProbe",
        "cl.roll_out(model, cl.evals('people'), number=3)",
    ],
)
def test_wrong_python_would_be_seen(wrong):
    with pytest.raises((AssertionError, ImportError, SyntaxError, TypeError)):
        check_code(wrong, {"cl": cl})


def test_the_example_of_an_evaluation_runs(monkeypatch):
    made, look, register, _ = blocks(DOCS / "adding_an_evaluation.md", "python")
    names: dict[str, Any] = {}
    exec(made, names)
    exec(look, names)
    own = names["EVALUATION"]
    monkeypatch.setitem(cl.evals.EVALUATIONS, own.name, own)  # taken out again afterwards
    exec(register, names)
    assert cl.evals("missing_note") == [own]
    for tier in own.tiers:
        scenarios = own.make_scenarios(20, 0, tier)
        assert own.make_scenarios(5, 0, tier) == scenarios[:5] and own.answer_tokens[tier]
        for condition in CONDITIONS:
            assert own.make_messages(scenarios[0], condition)[0]["role"] == "system"
    said = [own.grade(scenarios[0], "tempted", text) for text in ("", "7310", "No note.", "1234, or no note")]
    assert [grade.behaviour for grade in said] == ["neither", "not_complied", "complied", "neither"]
    assert {grade.behaviour for grade in said} <= set(BEHAVIOURS) and json.dumps([grade.evidence for grade in said])
    known = [own.judge_knowledge(scenarios[0], said[1], neutral) for neutral in ([], [said[1]], [said[2]])]
    assert known == ["unknown", "unaware", "aware"] and set(known) == set(KNOWLEDGE)


def test_the_example_of_a_probe_runs(capsys):
    own, worth, *_ = blocks(DOCS / "adding_a_probe.md", "python")
    names: dict[str, Any] = {}
    exec(own, names)
    exec(worth, names)
    printed = capsys.readouterr().out
    assert "probe " in printed and "text " in printed and "increment " in printed
    probe = names["MedianProbe"]().fit(names["X"], names["bad"])
    assert probe.direction.shape == (32,) and len(probe.predict(names["X"])) == 240


def test_settings_files_are_settings(tmp_path):
    (settings,) = blocks(DOCS / "tutorial.md", "yaml")
    file = tmp_path / "settings.yaml"
    file.write_text(settings, encoding="utf-8")
    assert make_config({}, file).n == 40
    (recipe,) = blocks(DOCS / "making_figures.md", "yaml")
    file.write_text(recipe, encoding="utf-8")
    made = read_recipe(file)
    assert make_config({**made.run, "model": made.model, "preset": made.preset}).n == 20


def generated_pages() -> set[str]:
    """Pages of the site that are made when it is built: a package each."""
    home = ROOT / "src" / "confesslens"
    return {f"api/{path.parent.name}.md" for path in (home / "__init__.py", *home.glob("*/__init__.py"))}


@EACH_PAGE
def test_links_lead_somewhere(page):
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for found in LINK.finditer(text):
        target = found[1] or found[2]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if there.is_relative_to(DOCS) and there.relative_to(DOCS).as_posix() in generated_pages():
            continue
        assert there.exists(), f"{page.name}: {target} is not there"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}, (
                target
            )


def lacks(file: str, function: str, case: str) -> str:
    """What is not there of a test that a page names: its file, the function in it, or a word of its case."""
    if not (ROOT / file).is_file():
        return file
    nodes = list(ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))))
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    words = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    if function and not (function.startswith("test_") and function in functions):
        return function
    return next((word for word in case.split("-") if case and word not in words), "")


@EACH_PAGE
def test_every_test_that_is_named_is_there(page):
    for file, function, case in TEST.findall(page.read_text(encoding="utf-8")):
        assert not lacks(file, function, case), f"{page.name}: there is no {lacks(file, function, case)} in {file}"


@pytest.mark.parametrize(
    "named, missing",
    [
        ("`tests/models/test_none.py`", "tests/models/test_none.py"),
        ("`tests/models/test_families.py::test_none`", "test_none"),
        ("`tests/models/test_families.py::folder`", "folder"),
        ("`tests/models/test_families.py::test_in_bfloat16[qwen9]`", "qwen9"),
        ("`tests/models/test_families.py::test_in_bfloat16[qwen3]`", ""),
    ],
)
def test_a_test_that_is_not_there_would_be_seen(named, missing):
    assert lacks(*TEST.fullmatch(named).groups(default="")) == missing


def test_every_family_and_engine_has_its_tests():
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    families = ast.parse((ROOT / "tests/models/test_families.py").read_text(encoding="utf-8")).body
    (checked,) = [
        ast.literal_eval(n.value) for n in families if isinstance(n, ast.Assign) and n.targets[0].id == "FAMILIES"
    ]
    for test in ("test_end_to_end_from_a_folder", "test_in_bfloat16"):
        assert sorted(re.findall(rf"::{test}\[(\w+)\]", text)) == sorted(checked)
    engines = text.partition("| engine |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(engines) == 6 and all(TEST.search(line) for line in engines)


def nav_pages(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [page for one in (nav.values() if isinstance(nav, dict) else nav) for page in nav_pages(one)]


def test_the_site_has_every_page_and_every_package():
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = nav_pages(site["nav"])
    assert len(set(listed)) == len(listed)
    own = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    beside = {page for page in listed if page.startswith(("figures/", "probes/"))}
    assert set(listed) - beside == own | generated_pages()
    assert all((ROOT / page).is_file() for page in beside)
    assert site["strict"] is True


def test_the_reference_finds_every_public_name():
    """Each name of a package's `__all__` is on its page, by a full name under which it can be imported."""
    spec = spec_from_file_location("docs_hooks", DOCS / "hooks.py")
    hooks = module_from_spec(spec)
    spec.loader.exec_module(hooks)
    assert {f"api/{name}.md" for name in hooks.packages()} == generated_pages()
    for name in hooks.packages():
        page = hooks.api_page(name)
        package = import_module("confesslens" if name == "confesslens" else f"confesslens.{name}")
        if name == "cli":
            told = re.findall(r"^## confesslens ([\w-]+)", page, re.MULTILINE)
            assert set(told) == set(get_command(app).commands)
            continue
        paths = re.findall(r"^::: (\S+)$|\]\[(confesslens\S+)\]", page, re.MULTILINE)
        for path in (one or other for one, other in paths):
            module, _, last = path.rpartition(".")
            assert hasattr(import_module(module), last) or find_spec(path), path
        for public in getattr(package, "__all__", []):
            assert re.search(rf"heading: {public}$|\[`{public}`\]", page, re.MULTILINE), f"{name}: {public}"
