"""
XML of any size, one record after the other, and nothing of XML that a list has no use for.

A document type is refused, so there are no entities to expand and nothing is fetched.
"""

from collections.abc import Iterator
from typing import BinaryIO, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from reviews.sanction_lists.errors import ListMalformed

CHUNK = 65_536


def records(file: BinaryIO, *, root: str, tags: frozenset[str]) -> Iterator[Element]:
    """
    Yield the root with its attributes alone, then every record: each element of these tags.

    Namespaces are left out of the names. Raises `ListMalformed`.
    """
    reader = _Reader(root, tags)
    try:
        while chunk := file.read(CHUNK):
            reader.parser.Parse(chunk)
            yield from reader.taken()
        reader.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise ListMalformed(f"it is no complete XML: {error}") from error
    yield from reader.taken()


def text_of(record: Element, tag: str) -> str:
    """Return the text of the first element of this name that is directly in a record."""
    return (record.findtext(tag) or "").strip()


class _Reader:
    """Builds a tree for each record, and drops it when it was taken."""

    def __init__(self, root: str, tags: frozenset[str]) -> None:
        self._root, self._tags = root, tags
        self._depth = self._begun_at = 0
        self._builder = TreeBuilder()
        self._done: list[Element] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        self._depth += 1
        if self._depth == 1:
            if tag != self._root:
                raise ListMalformed(f"it begins with <{tag}>, and not with <{self._root}>")
            self._done.append(Element(tag, attributes))
        elif not self._begun_at and tag in self._tags:
            self._begun_at, self._builder = self._depth, TreeBuilder()
        if self._begun_at:
            self._builder.start(tag, attributes)

    def _end(self, name: str) -> None:
        if self._begun_at:
            self._builder.end(_local(name))
            if self._begun_at == self._depth:
                self._begun_at = 0
                self._done.append(self._builder.close())
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._begun_at:
            self._builder.data(text)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _refuse(*_declared: object) -> NoReturn:
    raise ListMalformed("it declares a document type, which no list does")
