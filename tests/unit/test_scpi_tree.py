"""Headers in all their spellings, and the path that compound messages go on from."""

import re
import tracemalloc
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.scpi_status import ScpiError
from controller.scpi_tree import Tree

PATTERNS = (
    "*IDN?",
    "*OPC",
    "*OPC?",
    "SYSTem:ERRor[:NEXT]?",
    "SYSTem:ERRor:COUNt?",
    "SYSTem:COUNt?",
    "STATus:OPERation[:EVENt]?",
    "STATus:PRESet",
    "OUTPut[:STATe]",
    "OUTPut[:STATe]?",
    "[:SOURce]:POWer[:LEVel][:AMPLitude]",
    "DETector{1:2}:GATE{0:9}?",
    "LENS[:STAGe{2:3}]:FOCus",
)
TREE = Tree({pattern: pattern for pattern in PATTERNS})


def is_known(header: str) -> bool:
    try:
        TREE.find(header)
    except ScpiError:
        return False
    return True


@pytest.mark.parametrize(
    ("path", "header", "pattern", "left"),
    [
        ("", "*IDN?", "*IDN?", ""),
        ("", "syst:err?", "SYSTem:ERRor[:NEXT]?", "syst:"),
        ("", ":SYSTEM:ERROR:NEXT?", "SYSTem:ERRor[:NEXT]?", "SYSTEM:ERROR:"),
        ("SYST:ERR:", "COUN?", "SYSTem:ERRor:COUNt?", "SYST:ERR:"),
        ("SYST:", "COUN?", "SYSTem:COUNt?", "SYST:"),  # after SYST:ERR?, which leaves no ERR
        ("SYST:", "ERR:COUN?", "SYSTem:ERRor:COUNt?", "SYST:ERR:"),
        ("STAT:", "PRES", "STATus:PRESet", "STAT:"),  # after STAT:OPER?
        ("SYST:ERR:", "*OPC", "*OPC", "SYST:ERR:"),  # a common command leaves the path alone
        ("SYST:ERR:", ":OUTP", "OUTPut[:STATe]", ""),
        ("SYST:ERR:", ":OUTP:STAT?", "OUTPut[:STATe]?", "OUTP:"),
        ("", "POW", "[:SOURce]:POWer[:LEVel][:AMPLitude]", ""),
        ("", "SOUR:POW:AMPL", "[:SOURce]:POWer[:LEVel][:AMPLitude]", "SOUR:POW:"),
    ],
)
def test_a_header_is_found_after_a_path(path: str, header: str, pattern: str, left: str) -> None:
    match = TREE.find(header, path)
    assert (match.value, match.path) == (pattern, left)
    assert TREE.find(header, path) is match  # remembered


@pytest.mark.parametrize(
    ("header", "suffixes"),
    [
        *[("DET:GATE?", (1, 1)), ("DET2:GATE0?", (2, 0)), ("det1:gate09?", (1, 9))],
        *[("LENS:FOC", (2,)), ("LENS:STAG:FOC", (2,)), ("LENS:STAG3:FOC", (3,)), ("*IDN?", ())],
    ],
)
def test_a_suffix_left_out_is_one_or_the_lowest(header: str, suffixes: tuple[int, ...]) -> None:
    assert TREE.find(header).suffixes == suffixes


@pytest.mark.parametrize(
    ("path", "header", "number"),
    [
        *[("", "SYST", -113), ("", "SYST:ERR", -113), ("", "SYSTE:ERR?", -113), ("", "*IDN", -113)],
        *[("SYST:ERR:", "OUTP?", -113), ("SYST:", "ERR:ERR?", -113), ("", "*OPC1", -113)],
        *[("", "DET3:GATE?", -114), ("", "DET0:GATE?", -114), ("", "OUTP2", -114)],
        *[("", "DET:GATE10?", -114), ("", "OUTPUTOUTPUTO?", -112), ("", "OUTP" + 5000 * "1", -112)],
    ],
)
def test_what_the_table_lacks_is_refused(path: str, header: str, number: int) -> None:
    for _ in range(2):
        with pytest.raises(ScpiError) as caught:
            TREE.find(header, path)
        assert caught.value.number == number


@pytest.mark.parametrize(
    "patterns",
    [
        ("SYSTem:ERRor?", "SYSTem:ERRor[:NEXT]?"),
        ("A[:B][:B]",),
        ("STATe:A", "STATus:B"),
        ("STATe:A", "STATE:B"),
        ("SOUR{1:2}:A", "SOUR:A"),
        *[("system",), ("SYS Tem",), ("A1",), ("A::B",), ("[:A]",), ("[A]:B",), ("A[:B",), ("",)],
        *[("A{2:1}",), ("A{x}",), ("A?B",), ("*IDN:A",), ("ABCDEFGHIJKLM",)],
    ],
)
def test_an_ambiguous_or_malformed_table_is_refused(patterns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{patterns[-1]}: ")):
        Tree(dict.fromkeys(patterns, 0))


def test_help_lists_each_header_once_in_the_form_of_scpi() -> None:
    assert TREE.headers() == [
        "*IDN?/qonly/",
        "*OPC",
        ":SYSTem:ERRor[:NEXT]?/qonly/",
        ":SYSTem:ERRor:COUNt?/qonly/",
        ":SYSTem:COUNt?/qonly/",
        ":STATus:OPERation[:EVENt]?/qonly/",
        ":STATus:PRESet/nquery/",
        ":OUTPut[:STATe]",
        "[:SOURce]:POWer[:LEVel][:AMPLitude]/nquery/",
        ":DETector{1:2}:GATE{0:9}?/qonly/",
        ":LENS[:STAGe{2:3}]:FOCus/nquery/",
    ]


def test_every_node_has_a_short_and_a_long_form_and_no_other() -> None:
    sources, powers = ("", "SOUR:", "SOURC:", "SOURCE:"), ("PO", "POW", "POWE", "POWER")
    levels, amplitudes = ("", ":LEV", ":LEVE", ":LEVEL"), ("", ":AMP", ":AMPL", ":AMPLITUDE")
    wrong = {"SOURC:", "PO", "POWE", ":LEVE", ":AMP"}
    for words in product(sources, powers, levels, amplitudes):
        assert is_known("".join(words)) is wrong.isdisjoint(words)


@given(st.from_regex(r"[A-Z]{1,5}[0-9]{0,2}(:[A-Z]{1,5}[0-9]{0,2}){0,3}\??", fullmatch=True))
def test_any_header_is_found_or_refused(header: str) -> None:
    assert is_known(header) in {True, False}


def test_what_is_remembered_is_bounded() -> None:
    tracemalloc.start()
    for cases in product((str.upper, str.lower), repeat=13):
        start = "".join(case(char) for case, char in zip(cases, "SYSTEM:ERROR:", strict=True))
        assert all(is_known(start + end) for end in ("NEXT?", "Next?", "next?", "COUN?"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 600_000
