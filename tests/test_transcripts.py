"""Driver and emulator, each alone, against dialogues from manuals and from hardware."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests import laser_trials, stage_trials, tagger_trials
from tests.transcript_player import (
    TRANSCRIPTS,
    Dialogue,
    Expected,
    Mismatch,
    parse,
    play_to_emulator,
    read,
)

EVIDENCE = [
    dialogue
    for path in sorted(TRANSCRIPTS.glob("*.txt"))
    if path.stem != "unconfirmed"
    for dialogue in read(path)
]
GUESSES = read(TRANSCRIPTS / "unconfirmed.txt")

FAMILIES = (stage_trials, laser_trials, tagger_trials)
PLAYED = {device: unit for family in FAMILIES for device, unit in family.PLAYED.items()}
DRIVES = {title: family.drive for family in FAMILIES for title in family.TRIALS}
SPEAKS = {title: trial.speaks for family in FAMILIES for title, trial in family.TRIALS.items()}
JUDGING_EMULATOR = [dialogue for dialogue in EVIDENCE if PLAYED[dialogue.device]]
JUDGING_DRIVER = [dialogue for dialogue in EVIDENCE if dialogue.title in DRIVES]
ANYTHING = "…"  # an answer of which nothing is known
JUDGING_NOBODY = ["behind a master the address comes first, and the answer names both ends"]


def titled(dialogues: list[Dialogue]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("dialogue", dialogues, ids=lambda it: it.title)


def play(dialogue: Dialogue, seed: int) -> None:
    prepare = PLAYED[dialogue.device]
    assert prepare
    play_to_emulator(dialogue, prepare, seed)


@titled(JUDGING_EMULATOR)
def test_the_emulator_says_what_the_device_said(dialogue: Dialogue, seed: int) -> None:
    play(dialogue, seed)


@titled(JUDGING_DRIVER)
@pytest.mark.clocks("jumping")
async def test_the_driver_says_what_the_host_said(dialogue: Dialogue) -> None:
    await DRIVES[dialogue.title](dialogue)


@titled(GUESSES)
def test_guesses_are_told_apart_from_evidence(dialogue: Dialogue, seed: int) -> None:
    """Proves nothing about the emulator; where they differ, a capture is wanted, not a change."""
    try:
        play(dialogue, seed)
    except Mismatch as differs:
        pytest.xfail(f"wants a capture: {differs}")


def test_every_dialogue_judges_somebody() -> None:
    titles = [dialogue.title for dialogue in EVIDENCE + GUESSES]
    assert len(set(titles)) == len(titles)
    assert DRIVES.keys() <= {dialogue.title for dialogue in EVIDENCE}
    judging = JUDGING_EMULATOR + JUDGING_DRIVER
    assert [d.title for d in EVIDENCE if d not in judging] == JUDGING_NOBODY


def test_every_dialogue_names_its_source() -> None:
    kinds = ("manual: ", "capture: ", "assembled from the rules: ", "program: ")
    assert all(dialogue.head["source"].startswith(kinds) for dialogue in EVIDENCE)
    assert all(dialogue.head["source"].startswith("unconfirmed") for dialogue in GUESSES)


# Both sides are shown to fail: every line that judges them is spoilt in turn.


def spoilt(text: str) -> str:
    """Other digits in the same form; a mark where there is none, or where only a part counts."""
    turned = text.translate(str.maketrans("0123456789", "9876543210"))
    return "?" + turned if turned == text or "…" in text else turned


def with_one_answer_spoilt(dialogue: Dialogue, exchanges: int) -> Iterator[Dialogue]:
    for at, exchange in enumerate(dialogue.exchanges[:exchanges]):
        for number, line in enumerate(exchange.expected):
            if line.text == ANYTHING:
                continue
            lines, changed = [*exchange.expected], [*dialogue.exchanges]
            lines[number] = Expected(line.mark, spoilt(line.text))
            changed[at] = replace(exchange, expected=lines)
            yield replace(dialogue, exchanges=changed)


def with_one_order_spoilt(dialogue: Dialogue, exchanges: int) -> Iterator[Dialogue]:
    for at, exchange in enumerate(dialogue.exchanges[:exchanges]):
        changed = [*dialogue.exchanges]
        changed[at] = replace(exchange, sent=spoilt(exchange.sent))
        yield replace(dialogue, exchanges=changed)


@titled(JUDGING_EMULATOR)
def test_an_emulator_that_differs_is_caught(dialogue: Dialogue, seed: int) -> None:
    planted = list(with_one_answer_spoilt(dialogue, len(dialogue.exchanges)))
    assert planted
    for wrong in planted:
        with pytest.raises(Mismatch):
            play(wrong, seed)


@titled(JUDGING_DRIVER)
@pytest.mark.clocks("jumping")
async def test_a_driver_that_differs_is_caught(dialogue: Dialogue) -> None:
    """In what it says, and in what it makes of the answers."""
    lines, drive = SPEAKS[dialogue.title], DRIVES[dialogue.title]
    for wrong in with_one_order_spoilt(dialogue, lines):
        with pytest.raises(Mismatch):
            await drive(wrong)
    for wrong in with_one_answer_spoilt(dialogue, lines):
        with pytest.raises(Mismatch):
            await drive(wrong)


HEAD = "# planted\n# source: capture: none\n# device: E-727\n# tolerance: 0.05\n"


@pytest.mark.parametrize(
    "lines",
    [
        "> CSV?\n",  # the device is said to be silent
        "> STP\n< 0\n",  # and here not to be
        "> SVA? 1\n<~ 1=0.0\n",  # right number, wrong form
        "> SVA? 1\n<~ 1=0.000000000e+00␠\n",
        "> SVA? 1\n<~ 1=0.051000000e+00\n",
        "> SVA? 1 2\n<~ 1=0.000000000e+00␠\n",
        "> SVA? 1 2\n<~ 2=0.000000000e+00␠\n<~ 1=0.000000000e+00\n",
    ],
)
def test_a_wrong_transcript_is_caught(lines: str, seed: int) -> None:
    [dialogue] = parse(HEAD + lines)
    with pytest.raises(Mismatch):
        play(dialogue, seed)


@pytest.mark.parametrize("line", ["CSV?", "# sauce: none", ">CSV?", "<! 2.0"])
def test_a_line_of_no_known_form_is_refused(line: str) -> None:
    with pytest.raises(AssertionError, match="form"):
        parse(HEAD + "> CSV?\n" + line)
