"""Bodies: what counts as an answer, and how values become plain text."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import log
from connector.itsm.servicenow.decode import (
    BadBody,
    decode_object,
    decode_record,
    decode_records,
    encode,
    error_detail,
    text,
)
from tests.recorded import body


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        ({"link": "https://x", "value": "abc"}, "abc"),
        ({"display_value": "New", "value": 1}, "1"),
        ({}, ""),
        ({"value": None}, ""),
    ],
)
def test_a_value_becomes_the_text_the_table_api_would_write(value: Any, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize("name", ["cancelled.json", "cancelled_after_rows.json"])
def test_an_error_beside_rows_is_no_answer(name: str) -> None:
    with pytest.raises(BadBody) as caught:
        decode_records(body(name).encode())
    assert "Transaction cancelled" in caught.value.detail


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("write_forbidden.json", "Operation Failed: ACL Exception Update Failed due to security"),
        ("invalid_table.json", "Invalid table incidents"),
        ("token_refused.json", "Client authentication failed"),
        ("bad_gateway.html", ""),
        ("page.json", ""),
    ],
)
def test_the_tools_own_sentence_is_kept(name: str, detail: str) -> None:
    assert error_detail(body(name).encode()).startswith(detail)


def test_a_repeated_sentence_is_said_once() -> None:
    same = encode({"error": {"message": "No", "detail": "No"}})
    assert error_detail(same) == "No"


@given(st.binary(max_size=200))
def test_no_body_whatever_raises_anything_but_ours(data: bytes) -> None:
    for decode in (decode_records, decode_record, decode_object):
        try:
            decode(data)
        except BadBody:
            continue
    error_detail(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_whatever_stands_under_result_becomes_strings_or_is_refused(value: Any) -> None:
    try:
        found = decode_records(encode({"result": value}))
    except BadBody:
        return
    assert all(isinstance(v, str) for record in found for v in record.values())


def test_deep_nesting_is_refused_not_crashed_on() -> None:
    with pytest.raises(BadBody):
        decode_records(b'{"result":' + b"[" * 100_000)


NESTED = b"[" * 100_000 + b"]" * 100_000


def test_deep_nesting_in_a_key_nobody_asked_for_is_refused_as_well() -> None:
    with pytest.raises(BadBody):
        decode_records(b'{"result":[{"number":"INC1"}],"extra":' + NESTED + b"}")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"caf\xe9", "caf\ufffd"),
        (rb"\ud83d", "\ufffd"),
        (rb"\uDE00 and more", "\ufffd and more"),
        (rb"\ud83d\u0041", "\ufffdA"),
        (rb"\ud83d\ud83d\ude00\n" + b"\xff", "\ufffd😀\n\ufffd"),
        (b"\xff " + rb"\\ud83d", "\ufffd \\ud83d"),
    ],
)
def test_a_broken_character_costs_itself_and_not_the_answer(sent: bytes, read: str) -> None:
    answer = b'{"result":[{"number":"INC1"},{"number":"INC2","short_description":"%b"}]}' % sent
    assert decode_records(answer) == [
        {"number": "INC1"},
        {"number": "INC2", "short_description": read},
    ]
    assert decode_record(b'{"result":{"a":"%b"}}' % sent) == {"a": read}
    assert error_detail(b'{"error":{"message":"%b"}}' % sent) == read


def test_a_broken_character_is_logged_without_what_it_stood_in() -> None:
    stream = io.StringIO()
    log.configure(stream=stream)
    try:
        decode_records(b'{"result":[{"short_description":"Ana Garc\xeda"}]}')
    finally:
        log.configure()
    assert stream.getvalue().count("\n") == 1
    assert "broken characters in an answer were replaced" in stream.getvalue()
    assert "Ana" not in stream.getvalue()


def test_an_answer_that_was_cut_is_not_mended() -> None:
    with pytest.raises(BadBody, match="cut"):
        decode_records(b'{"result":[{"a":"caf\xc3')


@given(st.text(alphabet=st.sampled_from('a\\u"\né😀\ud83d\ude00'), max_size=20))
def test_every_text_python_can_hold_is_read(content: str) -> None:
    """`json.dumps` writes lone surrogates as escapes, as a careless instance does."""
    body_sent = json.dumps({"result": [{"a": content}]}).encode()
    (record,) = decode_records(body_sent)
    paired = json.loads(json.dumps(content))
    assert record["a"] == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in paired)
