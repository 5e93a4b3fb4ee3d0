"""The file origin before a real object store: signatures hold through the edge, and the store's refusals come through."""

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from minio import Minio
from minio.datatypes import PostPolicy

from chassis.testing import backing
from gateway.edge.tests.support import Edge, StartEdge


def client_at(url: str) -> Minio:
    keys = backing("PRAXIS_TEST_S3_ACCESS_KEY"), backing("PRAXIS_TEST_S3_SECRET_KEY")
    return Minio(urlsplit(url).netloc, *keys, secure=False, region="us-east-1")


@pytest.fixture(scope="module")
def store() -> Minio:
    """The store itself, as services reach it."""
    return client_at(backing("PRAXIS_TEST_S3_URL"))


@pytest.fixture(scope="module")
def bucket(store: Minio) -> Iterator[str]:
    name = f"edge-{uuid4()}"
    store.make_bucket(name)
    yield name
    for found in store.list_objects(name, recursive=True):
        store.remove_object(name, found.object_name or "")
    store.remove_bucket(name)


@pytest.fixture(scope="module")
def edge(start_edge: StartEdge, bucket: str) -> Edge:
    return start_edge(upstream_s3=backing("PRAXIS_TEST_S3_URL"), s3_bucket=bucket)


@pytest.fixture(scope="module")
def signing(edge: Edge) -> Minio:
    """Signs for the file origin, as documents does; asks nobody."""
    return client_at(edge.files_url)


def test_file_goes_up_and_comes_down_by_signed_links(edge: Edge, signing: Minio, store: Minio, bucket: str) -> None:
    file = os.urandom(3_000_000)
    up = signing.presigned_put_object(bucket, "a/file", timedelta(minutes=1))
    assert httpx.put(up, content=file, headers={"origin": edge.url}).status_code == 200
    assert store.stat_object(bucket, "a/file").size == len(file)
    down = httpx.get(signing.presigned_get_object(bucket, "a/file", timedelta(minutes=1)), headers={"origin": edge.url})
    assert down.content == file
    assert down.headers["x-content-type-options"] == "nosniff"
    assert down.headers["content-disposition"] == "attachment"
    assert down.headers.get_list("access-control-allow-origin") == [edge.url]


def test_name_for_saving_that_was_signed_wins(signing: Minio, store: Minio, bucket: str) -> None:
    store.put_object(bucket, "a/named", io.BytesIO(b"x"), 1)
    asked = {"response-content-disposition": 'attachment; filename="Jahresabschluss.pdf"'}
    link = signing.presigned_get_object(bucket, "a/named", timedelta(minutes=1), response_headers=asked)
    assert httpx.get(link).headers.get_list("content-disposition") == list(asked.values())


def test_part_of_a_file_can_be_read(signing: Minio, store: Minio, bucket: str) -> None:
    store.put_object(bucket, "a/range", io.BytesIO(b"0123456789"), 10)
    link = signing.presigned_get_object(bucket, "a/range", timedelta(minutes=1))
    answer = httpx.get(link, headers={"range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")


def test_link_for_one_object_opens_no_other(signing: Minio, store: Minio, bucket: str) -> None:
    store.put_object(bucket, "a/mine", io.BytesIO(b"x"), 1)
    store.put_object(bucket, "a/other", io.BytesIO(b"x"), 1)
    link = signing.presigned_get_object(bucket, "a/mine", timedelta(minutes=1))
    assert httpx.get(link).status_code == 200
    assert httpx.get(link.replace("a/mine", "a/other")).status_code == 403


def test_link_for_reading_does_not_write(signing: Minio, bucket: str) -> None:
    link = signing.presigned_get_object(bucket, "a/file", timedelta(minutes=1))
    assert httpx.put(link, content=b"x").status_code == 403


def test_signature_made_up_is_refused_by_the_store(edge: Edge, bucket: str) -> None:
    asked = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Signature": "0" * 64}
    assert edge.files.get(f"/{bucket}/a/file", params=asked).status_code in (400, 403)


def test_form_without_javascript_uploads_and_leads_back(edge: Edge, signing: Minio, store: Minio, bucket: str) -> None:
    policy = PostPolicy(bucket, datetime.now(UTC) + timedelta(minutes=1))
    policy.add_equals_condition("key", "a/form")
    policy.add_content_length_range_condition(1, 1000)
    policy.add_starts_with_condition("success_action_redirect", f"{edge.url}/portal/files/1/sent")
    fields = {"key": "a/form", "success_action_redirect": f"{edge.url}/portal/files/1/sent"}
    fields |= signing.presigned_post_policy(policy)
    answer = edge.files.post(
        f"/{bucket}", data=fields, files={"file": ("scan.pdf", b"%PDF-")}, headers={"origin": edge.url}
    )
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{edge.url}/portal/files/1/sent")
    assert store.stat_object(bucket, "a/form").size == 5
    too_long = edge.files.post(f"/{bucket}", data=fields, files={"file": ("scan.pdf", b"x" * 1001)})
    assert too_long.status_code == 400
