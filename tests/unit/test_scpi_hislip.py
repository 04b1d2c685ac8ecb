"""HiSLIP's messages, however their bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.scpi_hislip import BadHeader, Decoder, Kind, Message, in_pieces

MESSAGES = st.builds(
    Message,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 0xFFFF_FFFF),
    st.binary(max_size=40),
    st.just(False),
)


@given(st.lists(MESSAGES), st.lists(st.integers(0)))
def test_what_was_encoded_is_decoded(messages: list[Message], cuts: list[int]) -> None:
    stream = b"".join(message.encode() for message in messages)
    decoder = Decoder(largest=40)
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    found = [message for a, b in pairwise(edges) for message in decoder.feed(stream[a:b])]
    assert found == messages


def test_a_message_in_bytes_is_as_the_standard_draws_it() -> None:
    sent = b"HS\x07\x01\xff\xff\xff\x02\x00\x00\x00\x00\x00\x00\x00\x05*IDN?"
    assert Message(Kind.DATA_END, 1, 0xFFFF_FF02, b"*IDN?").encode() == sent


def test_a_payload_that_is_too_large_is_dropped_as_it_comes_and_the_next_counts() -> None:
    decoder = Decoder(largest=8)
    large, next_one = Message(Kind.DATA, 0, 2, 9 * b"x"), Message(Kind.TRIGGER, 0, 4)
    found = [m for byte in large.encode() + next_one.encode() for m in decoder.feed(bytes([byte]))]
    assert found == [Message(Kind.DATA, 0, 2, is_too_large=True), next_one]


def test_what_is_no_hislip_is_not_guessed_at() -> None:
    with pytest.raises(BadHeader):
        Decoder(largest=8).feed(b"GET / HTTP/1.1\r\n\r\n")


def test_a_long_response_comes_in_pieces_of_which_the_last_ends_it() -> None:
    pieces = in_pieces(b"abcde", 2, 6)
    assert [(piece.kind, piece.payload) for piece in pieces] == [
        (Kind.DATA, b"ab"),
        (Kind.DATA, b"cd"),
        (Kind.DATA_END, b"e"),
    ]
    assert {piece.parameter for piece in pieces} == {6}
