"""The command table as a dictionary of every spelling a host may send."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress, product
from typing import Generic, NamedTuple, TypeVar

from controller.scpi_grammar import LONGEST_WORD, forms
from controller.scpi_status import ScpiError

T = TypeVar("T")

COMMON = re.compile(r"\*[A-Z]+\??")
NODE = re.compile(r"(?P<optional>\[)?:(?P<mnemonic>\w+)(?:\{(?P<low>\d+):(?P<high>\d+)\})?(?(1)\])")
MNEMONIC = re.compile(r"[A-Z][A-Z_]*[a-z_]*")  # digits at its end would be a numeric suffix
TYPED_SUFFIX = re.compile(r"[0-9]+(?=[:?]|$)")
MOST_REMEMBERED = 1024


class Match(NamedTuple, Generic[T]):
    """What a header means: its entry, a number per suffix of the pattern, the path it leaves."""

    value: T
    suffixes: tuple[int, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Node:
    """One level of a pattern."""

    mnemonic: str
    is_optional: bool
    suffixes: range | None


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One spelling of a pattern: which of its nodes are there."""

    value: T
    nodes: tuple[Node, ...]
    present: tuple[bool, ...]


class Tree(Generic[T]):
    """Patterns such as SYSTem:ERRor[:NEXT]?, [:SOURce]:POWer, OUTPut{1:2} or *IDN? to values.

    The path after a header is what was sent of it but the last mnemonic: optional nodes left
    out are not in it, and no other level is tried (SCPI-99 volume 1, 6.2.4).
    """

    def __init__(self, table: Mapping[str, T]) -> None:
        """ValueError for a pattern that is malformed or shares a spelling with another."""
        self._patterns = tuple(table)
        self._entries: dict[str, Entry[T]] = {}
        self._spelled: dict[str, str] = {}
        self._remembered: dict[tuple[str, str], Match[T]] = {}
        for pattern, value in table.items():
            self._add(pattern, value)

    def find(self, header: str, path: str = "") -> Match[T]:
        """The entry of a unit's header after that path; -112, -113 or -114 when there is none."""
        match = self._remembered.get((path, header))
        if match is None:
            match = self._resolve(header, path)
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[path, header] = match
        return match

    def headers(self) -> list[str]:
        """Every header as SYSTem:HELP:HEADers? lists it, in the order of the table."""
        known = set(self._patterns)
        lines = []
        for pattern in self._patterns:
            shown = pattern if pattern[0] in "*[:" else f":{pattern}"
            if not pattern.endswith("?"):
                lines.append(shown if f"{pattern}?" in known else f"{shown}/nquery/")
            elif pattern[:-1] not in known:
                lines.append(f"{shown}/qonly/")
        return lines

    def _resolve(self, header: str, path: str) -> Match[T]:
        whole, left = _whole(header, path)
        words = whole.removesuffix("?").upper().split(":")
        if max(map(len, words)) > LONGEST_WORD:
            raise ScpiError(-112, header)
        entry = self._entries.get(TYPED_SUFFIX.sub("", whole.upper()))
        if entry is None:
            raise ScpiError(-113, header)
        sent = iter(words)
        numbers = [
            _number(node.suffixes, next(sent) if here else "", header)
            for node, here in zip(entry.nodes, entry.present, strict=True)
        ]
        return Match(entry.value, tuple(n for n in numbers if n is not None), left)

    def _add(self, pattern: str, value: T) -> None:
        mark = "?" if pattern.endswith("?") else ""
        nodes = tuple(_nodes(pattern))
        for present in product(*((True, False) if node.is_optional else (True,) for node in nodes)):
            mnemonics = [node.mnemonic for node in compress(nodes, present)]
            for words in product(*(dict.fromkeys(forms(mnemonic)) for mnemonic in mnemonics)):
                self._claim(words, mnemonics, pattern)
                spelling = ":".join(words) + mark
                if spelling in self._entries:
                    raise ValueError(f"{pattern}: {spelling} stands for another pattern too")
                self._entries[spelling] = Entry(value, nodes, present)

    def _claim(self, words: tuple[str, ...], mnemonics: list[str], pattern: str) -> None:
        """No two mnemonics of one level may share a form, wherever they lead."""
        for depth, mnemonic in enumerate(mnemonics, start=1):
            spelled = self._spelled.setdefault(":".join(words[:depth]), mnemonic)
            if spelled != mnemonic:
                raise ValueError(f"{pattern}: {mnemonic} reads like {spelled}")


def _whole(header: str, path: str) -> tuple[str, str]:
    """The header from the root, and the path it leaves; a common command has no part in paths."""
    if header.startswith("*"):
        return header, path
    whole = header[1:] if header.startswith(":") else path + header
    return whole, whole[: whole.rfind(":") + 1]


def _nodes(pattern: str) -> Iterator[Node]:
    """The nodes of a pattern, at least one of which is not optional."""
    if COMMON.fullmatch(pattern):
        yield Node(pattern.removesuffix("?"), is_optional=False, suffixes=None)
        return
    whole = (pattern if pattern.startswith((":", "[")) else f":{pattern}").removesuffix("?")
    found = list(NODE.finditer(whole))
    if "".join(node[0] for node in found) != whole or all(node["optional"] for node in found):
        raise ValueError(f"{pattern}: no pattern")
    for node in found:
        mnemonic = node["mnemonic"]
        if not MNEMONIC.fullmatch(mnemonic) or len(mnemonic) > LONGEST_WORD:
            raise ValueError(f"{pattern}: {mnemonic} is no mnemonic")
        suffixes = range(int(node["low"]), int(node["high"]) + 1) if node["low"] else None
        if suffixes is not None and not suffixes:
            raise ValueError(f"{pattern}: {mnemonic} has no suffix left")
        yield Node(mnemonic, bool(node["optional"]), suffixes)


def _number(allowed: range | None, word: str, header: str) -> int | None:
    """The suffix sent with a node, or its default: 1, or the lowest there is."""
    typed = TYPED_SUFFIX.search(word)
    if typed is None:
        return None if allowed is None else 1 if 1 in allowed else allowed[0]
    number = int(typed[0])
    if allowed is None or number not in allowed:
        raise ScpiError(-113 if header.startswith("*") else -114, header)
    return number
