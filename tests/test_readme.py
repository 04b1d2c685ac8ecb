"""The README says what the source says."""

from tests.readme import README, up_to_date


def test_generated_parts_are_current() -> None:
    text = README.read_text("utf-8")
    assert up_to_date(text) == text, "run `python -m tests.readme`"


def test_a_stale_part_is_noticed() -> None:
    text = README.read_text("utf-8")
    stale = text.replace("CONNECTING --> REGISTERING: DONE", "CONNECTING --> REGISTERING: LOST")
    assert up_to_date(stale) == text != stale
