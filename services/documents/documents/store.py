"""The object store, spoken to as S3 by the minio SDK: what documents needs of it, and nothing else."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from io import RawIOBase
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlsplit

from minio import Minio
from minio.datatypes import Part, PostPolicy
from minio.error import InvalidResponseError, S3Error, ServerError
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from chassis.errors import Unavailable
from documents import signing
from documents.settings import Settings

LINK_SECONDS = 60  # a signed address works this long for one request on one object
FORM_SECONDS = 600  # a page without JavaScript is signed when it is shown; people need a while to choose a file
CHUNK = 1024 * 1024
HEAD = 4096  # bytes that tell a file's type
_GONE = frozenset({"NoSuchKey", "NoSuchUpload", "NoSuchVersion", "ResourceNotFound"})


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as the store has it. `sha256` (hex) only where the store keeps it: not for multipart and form posts."""

    size: int
    version: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Digest:
    """What reading an object to its end has shown."""

    size: int
    sha256: str
    head: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """A version of an object in a listing."""

    key: str
    version: str | None
    modified: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """One request that a browser makes to the store."""

    method: str
    url: str
    headers: dict[str, str]
    fields: dict[str, str]
    part: int | None = None


class Store:
    """One bucket. Errors of the store are `Unavailable("store_unavailable")`; what is not there is None."""

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.s3_bucket
        self._public = settings.s3_public_url.rstrip("/")
        self._keys = (settings.s3_access_key, settings.s3_secret_key)
        place = urlsplit(settings.s3_url)
        self._client = Minio(
            endpoint=place.netloc,
            access_key=self._keys[0],
            secret_key=self._keys[1],
            secure=place.scheme == "https",
            region=signing.REGION,
            http_client=PoolManager(
                maxsize=settings.threads,
                timeout=Timeout(connect=3, read=30),
                retries=Retry(total=2, backoff_factor=0.1, status_forcelist=(502, 503, 504)),
            ),
        )

    # What browsers are given

    def put_target(self, key: str, sha256: str, at: datetime) -> Target:
        """One PUT whose bytes must have this hash: the store refuses others."""
        headers = {"x-amz-checksum-sha256": _base64(sha256)}
        return Target("PUT", self._signed("PUT", key, at, headers=headers), headers, {})

    def part_target(self, key: str, store_upload: str, number: int, sha256: str, at: datetime) -> Target:
        headers = {"x-amz-checksum-sha256": _base64(sha256)}
        query = {"partNumber": str(number), "uploadId": store_upload}
        return Target("PUT", self._signed("PUT", key, at, headers=headers, query=query), headers, {}, part=number)

    def form_target(self, key: str, most: int, redirect_url: str | None, at: datetime) -> Target:
        """A form post of 1 to `most` bytes; the store then sends the browser to `redirect_url`."""
        policy = PostPolicy(self._bucket, at + timedelta(seconds=FORM_SECONDS))
        policy.add_equals_condition("key", key)
        policy.add_content_length_range_condition(1, most)
        fields = {"key": key}
        if redirect_url:
            # The SDK offers no equality here; a longer address could only mislead the browser that sends it.
            policy.add_starts_with_condition("success_action_redirect", redirect_url)
            fields["success_action_redirect"] = redirect_url
        fields |= self._client.presigned_post_policy(policy)
        return Target("POST", f"{self._public}/{self._bucket}", {}, fields)

    def download_url(self, key: str, version: str | None, *, disposition: str, media_type: str, at: datetime) -> str:
        query = {"response-content-disposition": disposition, "response-content-type": media_type}
        return self._signed("GET", key, at, query=query | ({"versionId": version} if version else {}))

    def _signed(
        self,
        method: str,
        key: str,
        at: datetime,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> str:
        access_key, secret_key = self._keys
        url = f"{self._public}/{self._bucket}/{quote(key)}"
        return signing.presigned(
            method,
            url,
            access_key=access_key,
            secret_key=secret_key,
            at=at,
            seconds=LINK_SECONDS,
            headers=headers,
            query=query,
        )

    # What documents does itself

    def start_multipart(self, key: str) -> str:
        return str(
            _asked(lambda: self._client._create_multipart_upload(bucket_name=self._bucket, object_name=key, headers={}))
        )

    def parts(self, key: str, store_upload: str) -> dict[int, Part] | None:
        """The parts received, by number; None once the upload is finished or gone."""
        found: dict[int, Part] = {}
        marker: str | None = None
        while True:
            result = _asked(
                partial(
                    self._client._list_parts,
                    bucket_name=self._bucket,
                    object_name=key,
                    upload_id=store_upload,
                    part_number_marker=marker,
                )
            )
            if result is None:
                return None
            found |= {p.part_number: p for p in result.parts}
            if not result.is_truncated:
                return found
            marker = str(result.next_part_number_marker)

    def finish_multipart(self, key: str, store_upload: str, parts: Iterable[Part]) -> None:
        ordered = [Part(part_number=p.part_number, etag=p.etag) for p in sorted(parts, key=lambda p: p.part_number)]
        _asked(
            lambda: self._client._complete_multipart_upload(
                bucket_name=self._bucket, object_name=key, upload_id=store_upload, parts=ordered
            )
        )

    def abort_multipart(self, key: str, store_upload: str) -> None:
        _asked(
            lambda: self._client._abort_multipart_upload(
                bucket_name=self._bucket, object_name=key, upload_id=store_upload
            )
        )

    def stat(self, key: str, version: str | None = None) -> Stored | None:
        headers = {"x-amz-checksum-mode": "ENABLED"}
        found = _asked(
            lambda: self._client.stat_object(
                bucket_name=self._bucket, object_name=key, version_id=version, extra_headers=dict(headers)
            )
        )
        if found is None:
            return None
        checksum = found.metadata.get("x-amz-checksum-sha256", "")
        # A multipart upload's checksum is one of checksums ("…-12"): it proves nothing about the whole.
        sha256 = base64.b64decode(checksum).hex() if checksum and "-" not in checksum else None
        return Stored(found.size or 0, found.version_id, sha256)

    def head(self, key: str, version: str | None) -> bytes:
        """The first bytes, which tell the type."""

        def read() -> bytes:
            response = self._client.get_object(
                bucket_name=self._bucket, object_name=key, version_id=version, length=HEAD
            )
            try:
                return bytes(response.read(HEAD))
            finally:
                response.close()
                response.release_conn()

        return _asked(read) or b""

    def read(self, key: str, version: str | None) -> bytes:
        """A small object, whole. The caller knows that it is small."""

        def read() -> bytes:
            response = self._client.get_object(bucket_name=self._bucket, object_name=key, version_id=version)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

        return _asked(read) or b""

    def digest(self, key: str, version: str | None, beat: Callable[[], object] = lambda: None) -> Digest | None:
        """Reads the object to its end in bounded memory. `beat` is called every so often."""

        def read() -> Digest:
            response = self._client.get_object(bucket_name=self._bucket, object_name=key, version_id=version)
            try:
                return _digest(response.stream(CHUNK), beat)
            finally:
                response.close()
                response.release_conn()

        found: Digest | None = _asked(read)
        return found

    def put(self, key: str, chunks: Iterable[bytes], size: int) -> tuple[str | None, Digest]:
        """Stores exactly `size` bytes of a stream; returns the store's version and what was read. Errors: EOFError if there are fewer."""
        stream = _Chunks(chunks)
        try:
            result = _asked(
                lambda: self._client.put_object(
                    bucket_name=self._bucket,
                    object_name=key,
                    data=cast(BinaryIO, stream),
                    length=size,
                    part_size=8 * CHUNK,
                )
            )
        except OSError as error:  # how the SDK says that the stream ended early
            raise EOFError(str(error)) from error
        return result.version_id, stream.digest()

    def remove(self, key: str, version: str | None = None) -> None:
        """Removes one version of an object, or every version of it."""
        for listed in (
            [Listed(key, version, datetime.now(UTC))] if version else [o for o in self.listing(key) if o.key == key]
        ):
            _asked(
                partial(
                    self._client.remove_object,
                    bucket_name=self._bucket,
                    object_name=listed.key,
                    version_id=listed.version,
                )
            )

    def listing(self, prefix: str) -> Iterator[Listed]:
        """Every version of every object under a prefix."""
        try:
            for o in self._client.list_objects(
                bucket_name=self._bucket, prefix=prefix, recursive=True, include_version=True
            ):
                yield Listed(o.object_name, o.version_id, o.last_modified)
        except (S3Error, ServerError, InvalidResponseError, HTTPError) as error:
            raise _unavailable() from error

    def list_multiparts(self, prefix: str) -> list[tuple[str, str, datetime]]:
        """Unfinished multipart uploads under a prefix: key, the store's id, when it began. The first thousand."""
        result = _asked(lambda: self._client._list_multipart_uploads(bucket_name=self._bucket, prefix=prefix))
        return [(u.object_name, u.upload_id, u.initiated_time) for u in result.uploads]

    def make_bucket(self) -> None:
        """The bucket with versioning and object lock, which can't be added later. Safe to run again.

        Errors: RuntimeError if a bucket of that name exists without them, or if the store takes bytes whose hash differs.
        """
        if not self._client.bucket_exists(bucket_name=self._bucket):
            self._client.make_bucket(bucket_name=self._bucket, object_lock=True)
        if self._client.get_bucket_versioning(bucket_name=self._bucket).status != "Enabled":
            raise RuntimeError(f"PRAXIS_S3_BUCKET: bucket {self._bucket} has no versioning. Use a new bucket.")
        try:
            self._client.get_object_lock_config(bucket_name=self._bucket)
        except S3Error as error:
            raise RuntimeError(
                f"PRAXIS_S3_BUCKET: bucket {self._bucket} has no object lock. Use a new bucket."
            ) from error


def _digest(chunks: Iterable[bytes], beat: Callable[[], object]) -> Digest:
    hashed, size, head, next_beat = hashlib.sha256(), 0, b"", 256 * CHUNK
    for chunk in chunks:
        hashed.update(chunk)
        size += len(chunk)
        if len(head) < HEAD:
            head = (head + chunk)[:HEAD]
        if size >= next_beat:
            next_beat += 256 * CHUNK
            beat()
    return Digest(size, hashed.hexdigest(), head)


class _Chunks(RawIOBase):
    """A stream of chunks as a file to read from, hashed on its way."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self._hashed = hashlib.sha256()
        self._size = 0
        self._head = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken = min(len(buffer), len(self._rest))
        piece, self._rest = self._rest[:taken], self._rest[taken:]
        buffer[:taken] = piece
        self._hashed.update(piece)
        self._size += taken
        if len(self._head) < HEAD:
            self._head = (self._head + piece)[:HEAD]
        return taken

    def digest(self) -> Digest:
        return Digest(self._size, self._hashed.hexdigest(), self._head)


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _unavailable() -> Unavailable:
    return Unavailable("store_unavailable", "The file store does not answer. Try again shortly.", retry_after=2)


def _asked(call: Callable[[], Any]) -> Any:
    """The store's answer; None for what is not there. Errors: `store_unavailable`."""
    try:
        return call()
    except S3Error as error:
        if error.code in _GONE:
            return None
        raise _unavailable() from error
    except (ServerError, InvalidResponseError, HTTPError) as error:
        raise _unavailable() from error


@lru_cache(maxsize=8)
def store_of(settings: Settings) -> Store:
    """The store of these settings, its connections shared by the process."""
    return Store(settings)


def make_bucket(settings: Settings) -> None:
    """Part of `migrate`."""
    store_of(settings).make_bucket()
