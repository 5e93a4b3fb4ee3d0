"""Names, headers, ways of uploading: rules that need no server."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Conflict, Invalid
from documents.files import rules
from documents.media import media_type
from documents.signing import presigned
from documents.uploads import rules as uploads


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("statement.pdf", "statement.pdf"),
        ("C:\\Users\\ada\\statement.pdf", "statement.pdf"),
        ("../../etc/passwd", "passwd"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie: x=1.pdf"),
        ("nul\x00byte.pdf", "nulbyte.pdf"),
        ("  .hidden. ", "hidden"),
        ("Mu\u0308ller.pdf", "Müller.pdf"),
        ("客户.pdf", "客户.pdf"),
        ("می\u200cخواهم.pdf", "می\u200cخواهم.pdf"),
    ],
)
def test_a_name_is_made_safe_without_losing_what_it_says(raw: str, name: str) -> None:
    assert rules.clean_name(raw) == name


@pytest.mark.parametrize("raw", ["", "/", "..", "\u202e", "\x00\x01", "\u200d"])
def test_a_name_of_nothing_is_refused(raw: str) -> None:
    with pytest.raises(Invalid, match="name_unusable"):
        rules.clean_name(raw)


@pytest.mark.parametrize(
    ("name", "media", "whole"),
    [
        ("Bank statement", "application/pdf", "Bank statement.pdf"),
        ("scan.pdf", "application/pdf", "scan.pdf"),
        ("Q3. Receipts for travel", "image/png", "Q3. Receipts for travel.png"),
        ("data", "application/x-strange", "data"),
        ("data", "application/octet-stream", "data"),
    ],
)
def test_a_name_without_an_ending_gets_that_of_its_bytes(name: str, media: str, whole: str) -> None:
    assert rules.with_ending(name, media) == whole


def test_a_long_name_keeps_its_ending() -> None:
    name = rules.clean_name("ü" * 500 + ".pdf")
    assert name.endswith(".pdf")
    assert len(name.encode()) <= rules.LONGEST_NAME


@given(st.text(max_size=400))
def test_no_name_can_break_out_of_a_header_or_a_folder(raw: str) -> None:
    try:
        name = rules.clean_name(raw)
    except Invalid:
        return
    assert rules.clean_name(name) == name
    assert len(name.encode()) <= rules.LONGEST_NAME
    assert not set(name) & set("/\\\r\n\0\u202e\u2066")
    header = rules.content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.startswith('attachment; filename="')
    assert header.count('"') == 2


@pytest.mark.parametrize("media", ["text/html", "image/svg+xml", "application/xhtml+xml"])
def test_what_a_browser_would_run_is_served_as_plain_bytes(media: str) -> None:
    assert rules.served_type(media) == "application/octet-stream"
    assert rules.served_type("application/pdf") == "application/pdf"


@pytest.mark.parametrize(
    ("head", "media"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"<html><script>x</script>", "text/html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "image/svg+xml"),
    ],
)
def test_the_type_is_found_in_the_bytes(head: bytes, media: str) -> None:
    assert media_type(head) == media


def test_generated_files_belong_to_their_invoice() -> None:
    with pytest.raises(Conflict, match="document_generated"):
        rules.ensure_changeable("invoice", "stored")
    with pytest.raises(Conflict, match="document_not_stored"):
        rules.ensure_changeable("upload", "pending")
    rules.ensure_changeable("upload", "stored")


def test_up_to_64_megabytes_go_in_one_put_and_more_in_parts() -> None:
    assert uploads.plan(uploads.SINGLE_PUT_MAX, "0" * 64, form=False).method == "put"
    large = uploads.plan(uploads.SINGLE_PUT_MAX + 1, "0" * 64, form=False)
    assert (large.method, large.part_size, large.parts) == ("multipart", 16 * uploads.MIB, 5)
    assert (uploads.plan(uploads.UPLOAD_MAX, "0" * 64, form=False).parts or 0) <= 10_000


@given(st.integers(uploads.SINGLE_PUT_MAX + 1, uploads.UPLOAD_MAX))
def test_parts_make_up_exactly_the_file(size: int) -> None:
    way = uploads.plan(size, "0" * 64, form=False)
    assert way.parts
    assert way.part_size
    last = size - way.part_size * (way.parts - 1)
    assert 0 < last <= way.part_size
    received = dict.fromkeys(range(1, way.parts), way.part_size) | {way.parts: last}
    assert uploads.missing_parts(received, size=size, part_size=way.part_size, parts=way.parts) == []
    short = received | {way.parts: last - 1}
    assert uploads.missing_parts(short, size=size, part_size=way.part_size, parts=way.parts) == [way.parts]


def test_only_what_was_announced_is_compared() -> None:
    assert uploads.refusal(size=3, sha256="a", found_size=3, found_sha256="a") is None
    assert uploads.refusal(size=3, sha256="a", found_size=4, found_sha256="a") == "size_differs"
    assert uploads.refusal(size=3, sha256="a", found_size=3, found_sha256="b") == "hash_differs"
    assert uploads.refusal(size=None, sha256=None, found_size=9, found_sha256="b") is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/portal",
        "//evil.example",
        "http://praxis.test.evil/x",
        "http://praxis.test/x?y=1",
        "javascript:alert(1)",
    ],
)
def test_a_form_leads_back_to_this_platform_only(url: str) -> None:
    with pytest.raises(Invalid, match="redirect_foreign"):
        uploads.ensure_own_origin(url, "http://praxis.test")
    uploads.ensure_own_origin("http://praxis.test/portal/x", "http://praxis.test")


def test_signatures_are_those_of_the_published_example() -> None:
    """Amazon S3 API reference, "Authenticating Requests: Using Query Parameters", its example."""
    url = presigned(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        at=datetime(2013, 5, 24, tzinfo=UTC),
        seconds=86400,
    )
    assert url.endswith("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
