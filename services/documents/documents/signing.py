"""Presigned requests: AWS Signature Version 4 in the query, with signed headers. Pure.

The minio SDK presigns too, but only the host; a hash that the store must enforce has to be signed as a header.
Source of the rule: "Authenticating Requests: Using Query Parameters", Amazon S3 API reference.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

REGION = "us-east-1"


def presigned(
    method: str,
    url: str,
    *,
    access_key: str,
    secret_key: str,
    at: datetime,
    seconds: int,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> str:
    """`url` (its path already encoded, without a query) signed for one method and `seconds` from `at`.

    Whoever uses it must send `headers` (lower-case names) exactly as they were signed.
    """
    place = urlsplit(url)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    signed = {"host": place.netloc, **(headers or {})}
    names = ";".join(sorted(signed))
    parameters = {
        **(query or {}),
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{access_key}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": names,
    }
    encoded = "&".join(f"{_encode(k)}={_encode(v)}" for k, v in sorted(parameters.items()))
    lines = [
        method,
        place.path or "/",
        encoded,
        *(f"{k}:{signed[k]}" for k in sorted(signed)),
        "",
        names,
        "UNSIGNED-PAYLOAD",
    ]
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{request}"
    signature = hmac.new(_key(secret_key, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{place.scheme}://{place.netloc}{place.path}?{encoded}&X-Amz-Signature={signature}"


def _encode(value: str) -> str:
    return quote(value, safe="-_.~")


def _key(secret_key: str, day: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
