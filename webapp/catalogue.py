"""The catalogue's messages: those of pages and those of the engine. `python -m webapp.catalogue` brings the English file up to date.

The engine speaks Chinese and knows nothing of catalogues; its sentences are found here by looking at its sources: the docstrings of its
errors, and the texts it gives as `reason`, `what` and the like.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from engine import exceptions, permissions
from webapp.config import ROOT

FILE = ROOT / "webapp/translations/en/LC_MESSAGES/messages.po"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
METHODS = [("webapp/**/templates/**.html", "jinja2"), ("webapp/**.py", "python")]
# Names of arguments by which the engine puts words into an error.
WORDS = {"reason", "what", "permission", "limit", "allowed", "status"}
# Modules whose every Chinese text is a message of a field.
SPEAKING = ("engine/clients.py", "engine/commands/outings.py", "engine/commands/alerts.py", "engine/commands/waivers.py")


def main() -> int:
    """Merge what is there now into the catalogue; tell what lacks English. Exit 1 if anything does."""
    catalog = current()
    template = Catalog(charset="utf-8")
    for message in sorted(messages(), key=str):
        template.add(message)
    catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("wb") as file:
        write_po(file, catalog, width=140, no_location=True, sort_output=True)
    missing = untranslated(catalog)
    for message in missing:
        print(message)
    return 1 if missing else 0


def current() -> Catalog:
    """The English catalogue as it stands."""
    if not FILE.exists():
        return Catalog(locale="en", charset="utf-8", project="shuibo", fuzzy=False)
    with FILE.open("rb") as file:
        return read_po(file, locale="en")


def untranslated(catalog: Catalog) -> list:
    """Messages of pages and engine without English."""
    known = {message.id: message.string for message in catalog if message.id}
    return [wanted for wanted in sorted(messages(), key=str) if not _complete(known.get(wanted))]


def messages() -> set:
    """Every message id: text, or (singular, plural)."""
    return set(of_pages()) | set(of_errors()) | set(of_sources())


def of_pages() -> Iterator:
    """What templates and views say."""
    found = extract_from_dir(ROOT, METHODS, keywords=KEYWORDS, directory_filter=_ours)
    for _file, _line, message, _comments, _context in found:
        yield message


def of_errors() -> Iterator[str]:
    """Message and hint of every error of the engine."""
    for kind in errors():
        yield from (part for part in kind.template() if part)


def errors() -> list[type[exceptions.EngineError]]:
    """EngineError and everything below it."""
    import engine.workflow  # noqa: F401 - so that leaves that live beside their cause are known too

    found, queue = [], [exceptions.EngineError]
    while queue:
        kind = queue.pop()
        if kind not in found and kind.__module__.split(".")[0] in ("engine", "webapp"):  # not what tests make of it
            found.append(kind)
            queue += kind.__subclasses__()
    return found


def of_sources() -> Iterator[str]:
    """Chinese sentences without parts to fill in, which the engine gives to an error as an argument of WORDS, and `gettext` later finds."""
    for path in sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "webapp").rglob("*.py")]):
        if "demo" in path.parts or "cli" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in WORDS and isinstance(node.value, ast.Constant):
                if isinstance(node.value.value, str) and _chinese(node.value.value):
                    yield node.value.value
    yield from (f"权限：{name}" for name in permissions.PERMISSION_NAMES.values())
    for name in SPEAKING:
        tree = ast.parse((ROOT / name).read_text("utf-8"))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _chinese(node.value) and id(node) not in prose | parts:
                yield node.value


def _complete(text) -> bool:
    return bool(text) and (all(text) if isinstance(text, tuple | list) else True)


def _chinese(text: str) -> bool:
    return any("一" <= letter <= "鿿" for letter in text)


def _ours(path: str) -> bool:
    return not {"node_modules", ".venv", "var", ".git", "tests"} & set(Path(path).parts)


if __name__ == "__main__":
    sys.exit(main())
