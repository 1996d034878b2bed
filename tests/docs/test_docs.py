"""What the documents point to is there, and so are the documents that the code points to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SOURCES = ("golem", "apps", "benchmarks")
KINDS = {".py", ".md", ".toml", ".vy"}

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
MENTION = re.compile(r"docs/[A-Za-z0-9_/-]+\.md")
SECTION = re.compile(r"(docs/[A-Za-z0-9_/-]+\.md), ([A-Z][a-z]+)(?=[.)])")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def links(document: Path) -> Iterator[str]:
    """Every link of a document that stays on this machine, outside of code."""
    for target in LINK.findall(FENCE.sub("", document.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield target


def sources() -> Iterator[Path]:
    for folder in SOURCES:
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in KINDS and path.is_file())


def anchors(document: Path) -> set[str]:
    """The names by which a document's headings can be linked to, as GitHub makes them."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    broken = []
    for target in links(document):
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            broken.append(target)
    assert not broken, f"{name(document)} links to what is not there: {', '.join(broken)}"


def test_every_document_that_a_document_or_the_code_names_exists() -> None:
    missing = {
        f"{name(path)}: {mention}"
        for path in (*sources(), *DOCUMENTS)
        for mention in MENTION.findall(path.read_text())
        if not (ROOT / mention).is_file()
    }
    assert not missing, "\n".join(sorted(missing))


def test_every_section_that_the_code_names_exists() -> None:
    missing = {
        f"{name(path)}: {document}, {section}"
        for path in sources()
        for document, section in SECTION.findall(path.read_text())
        if section.lower() not in anchors(ROOT / document)
    }
    assert not missing, "\n".join(sorted(missing))
