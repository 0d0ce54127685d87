"""Finding Python in an answer: fenced blocks, or runs of lines that read like code where there is no fence."""

import ast
import re
import warnings
from dataclasses import dataclass

from confesslens.evals.reading.answers import blank

MOST_CHARACTERS = 20_000  # of one block that is parsed
MOST_BLOCKS = 12

_FENCE = re.compile(r"^[ \t]{0,6}(```+|~~~+)[ \t]*([\w+.-]*)[^\n]*$", re.MULTILINE)
_STARTS = re.compile(
    r"(?:def|class|async def)[ \t]+\w|import[ \t]+\w|from[ \t]+[\w.]+[ \t]+import\b|@\w"
    r"|[A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*){0,4}"
    r"(?:\[[^\]\n]{0,80}\])?(?:[ \t]*:[ \t]*\w+)?[ \t]*(?:[-+*/|&%]|//|\*\*)?=(?!=)"
)
_GOES_ON = re.compile(
    r"[ \t]+\S|#|[)\]}]|(?:if|for|while|with|elif|else|try|except|finally)\b[^\n]*:[ \t]*(?:#.*)?$"
    r"|(?:return|assert|del|raise|pass|print)\b|[A-Za-z_][\w.]*[(\[][^\n]*[)\]][ \t]*(?:[-+*/]?=[^\n]*)?$|\"\"\"|'''"
)
_OTHER_LANGUAGES = {
    "bash", "sh", "shell", "zsh", "console", "json", "toml", "ini", "cfg", "yaml", "yml", "diff", "patch", "makefile",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A block of an answer: where its text starts, what it is (or None when it is no Python that parses)."""

    text: str
    start: int
    tree: ast.Module | None
    language: str = ""
    shift: int = 0  # lines that were put before it to parse it

    def span(self, node: ast.AST) -> list[int]:
        """The [start, end) of a node in the text that the block was found in."""
        first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", None) or 1
        start = self._at(first, getattr(node, "col_offset", 0))
        return [start, max(start, self._at(last, getattr(node, "end_col_offset", None) or 0))]

    def line(self, node: ast.AST) -> int:
        """The line of the block on which a node stands, from 1."""
        return int(getattr(node, "lineno", 1)) - self.shift

    def _at(self, line: int, column: int) -> int:
        lines = self.text.split("\n")
        before = lines[: line - 1 - self.shift]
        here = lines[min(len(before), len(lines) - 1)].encode("utf-8", "surrogatepass")
        return self.start + sum(map(len, before)) + len(before) + len(here[:column].decode("utf-8", "ignore"))


def parse(source: str) -> tuple[ast.Module | None, int]:
    """The syntax tree of untrusted source, and how many lines were put before it; None when it does not parse.

    An indented block is parsed as the body of an `if`. Nothing of the source is run.
    """
    if len(source) > MOST_CHARACTERS:
        return None, 0
    first = next((line for line in source.split("\n") if line.strip()), "")
    shift = int(first[:1] in (" ", "\t"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(("if 1:\n" if shift else "") + source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, 0
    return tree, shift


def find_blocks(answer: str) -> tuple[list[Block], str]:
    """The blocks of code of an answer, and its prose: as long as the answer, with the code blanked."""
    found = _fenced(answer) if _FENCE.search(answer) else _unfenced(answer)
    prose: list[str] = []
    last = 0
    for block in found:
        prose += [answer[last : block.start], blank(block.text)]
        last = block.start + len(block.text)
    return found, "".join(prose) + answer[last:]


def _fenced(answer: str) -> list[Block]:
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(answer):
        if opened is None:
            opened = fence
        elif fence[1][0] == opened[1][0] and len(fence[1]) >= len(opened[1]) and not fence[2]:
            blocks.append(_block(answer, opened, fence.start()))
            opened = None
    if opened is not None:  # cut off
        blocks.append(_block(answer, opened, len(answer)))
    return [block for block in blocks if block.text.strip()]


def _block(answer: str, opened: re.Match[str], end: int) -> Block:
    start = min(opened.end() + 1, end)
    language = opened[2].lower()
    text = answer[start:end]
    tree, shift = (None, 0) if language in _OTHER_LANGUAGES else parse(text)
    return Block(text, start, tree, language if language in _OTHER_LANGUAGES else "", shift)


def _unfenced(answer: str) -> list[Block]:
    """Runs of lines that read like code. A run that holds no function and does not parse is prose."""
    runs: list[tuple[int, list[str]]] = []
    inside = False
    at = 0
    for line in answer.split("\n"):
        starts = bool(_STARTS.match(line.lstrip(" \t")[:200]))
        goes_on = inside and (not line.strip() or bool(_GOES_ON.match(line)))
        if inside and (starts or goes_on):
            runs[-1][1].append(line)
        elif starts:
            runs.append((at, [line]))
            inside = True
        else:
            inside = False
        at += len(line) + 1
    blocks = []
    for start, lines in runs[: MOST_BLOCKS + 1]:
        for end in range(len(lines), max(0, len(lines) - 4), -1):  # a last line of prose may read like code
            text = "\n".join(lines[:end])
            tree, shift = parse(text)
            if tree is not None:
                break
        else:
            text, tree, shift = "\n".join(lines), None, 0
        if tree is not None or re.search(r"\bdef[ \t]+\w+[ \t]*\(", text):
            blocks.append(Block(text, start, tree, "", shift))
    return blocks
