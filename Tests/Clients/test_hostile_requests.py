"""Requests that nobody's client sends, over the wire: signatures (case 44 of the plan of faults) and bodies (case 45)."""
import gzip
import json
import urllib.error
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import wait_for
from wire import Signed, exchange

INVALID, INCOMPLETE = "InvalidSignatureException", "IncompleteSignatureException"
UNKNOWN_CLIENT, UNKNOWN_OPERATION = "UnrecognizedClientException", "UnknownOperationException"
MALFORMED = "SerializationException"


@pytest.fixture(scope="module")
def endpoint(cluster):
    return cluster.env["AWS_ENDPOINT_URL_KMS"]


@pytest.fixture(scope="module")
def credentials(cluster):
    return {"aws_access_key_id": cluster.env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": cluster.env["AWS_SECRET_ACCESS_KEY"]}


@pytest.fixture
def call(endpoint, credentials):
    def make(body='{"Limit": 1}', target="TrentService.ListKeys", **members):
        request = Signed(endpoint, credentials, target, body)
        for name, value in members.items():
            setattr(request, name, value)
        return request
    return make


# Done before signing, so that the signature itself is right.
BEFORE = {
    "the secret is wrong": (lambda r: setattr(r, "secret", "x" * 40), INVALID),
    "the access key is nobody's": (lambda r: setattr(r, "key_id", "AKIA" + "A" * 16), UNKNOWN_CLIENT),
    "the access key id has ten thousand characters": (lambda r: setattr(r, "key_id", "A" * 10_000), INCOMPLETE),
    "a token that belongs to nobody": (lambda r: r.headers.append(("X-Amz-Security-Token", "token")), UNKNOWN_CLIENT),
    "signed five minutes and more ago": (lambda r: setattr(r, "skew", -330), INVALID),
    "signed for five minutes and more ahead": (lambda r: setattr(r, "skew", 330), INVALID),
    "another region": (lambda r: setattr(r, "region", "eu-west-1"), INVALID),
    "another service": (lambda r: setattr(r, "service", "sts"), INVALID),
    "another day": (lambda r: setattr(r, "day", "20200101"), INVALID),
    "the host is not signed": (lambda r: r.unsigned.add("host"), INVALID),
    "the target is not signed": (lambda r: r.unsigned.add("x-amz-target"), INVALID),
    "the date is not signed": (lambda r: r.unsigned.add("x-amz-date"), INVALID),
    "the body is left unsigned": (lambda r: r.headers.append(("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")), INVALID),
    "a chunked signature": (
        lambda r: r.headers.append(("X-Amz-Content-SHA256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")), INVALID),
    "a path with dots": (lambda r: setattr(r, "path", "/a/../"), UNKNOWN_OPERATION),
    "a path encoded twice": (lambda r: setattr(r, "path", "/%252e%252e/"), UNKNOWN_OPERATION),
}

# Done after signing.
AFTER = {
    "the body is altered": (lambda r: setattr(r, "body", b'{"Limit": 2}'), INVALID),
    "the query is altered": (lambda r: setattr(r, "query", "a=b"), INVALID),
    "the method is altered": (lambda r: setattr(r, "method", "PUT"), UNKNOWN_OPERATION),
    "the target is altered": (lambda r: r.header("x-amz-target", lambda _: "TrentService.ListAliases"), INVALID),
    "the host is altered": (lambda r: r.header("host", lambda host: "x" + host), INVALID),
    "a header more": (lambda r: r.headers.append(("X-Amz-Source-Arn", "arn:aws:forecast:us-west-2:1:dataset/x")), INVALID),
    "the target twice": (lambda r: r.headers.append(("X-Amz-Target", "TrentService.ListKeys")), UNKNOWN_OPERATION),
    "the content type twice": (lambda r: r.headers.append(("Content-Type", "application/x-amz-json-1.1")), INCOMPLETE),
    "the date twice": (lambda r: r.headers.append(("X-Amz-Date", "20200101T000000Z")), INCOMPLETE),
    "two signatures": (lambda r: r.headers.append(r.headers[-1]), INCOMPLETE),
    "header and query": (
        lambda r: setattr(r, "query", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"), INCOMPLETE),
    "the signature in capitals": (
        lambda r: r.header("authorization", lambda text: text.replace(r.signature, r.signature.upper())), INVALID),
    "the signature cut": (lambda r: r.header("authorization", lambda text: text[:-1]), INVALID),
    "another algorithm": (lambda r: r.header("authorization", lambda text: text.replace("SHA256 ", "SHA512 ")), INCOMPLETE),
    "no signature": (
        lambda r: setattr(r, "headers", [pair for pair in r.headers if pair[0] != "Authorization"]),
        "MissingAuthenticationTokenException"),
}


def recorded(cluster, event):
    pages = cluster.client("cloudtrail").get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": event}])
    return sum(len(page["Events"]) for page in pages)


def test_signatures(cluster, call):
    """Each row is refused under its code; none leaves a record, since nobody is known to have made it."""
    assert call().sign().send().status == 200
    before = recorded(cluster, "ListKeys")
    for what, (change, code) in BEFORE.items():
        request = call()
        change(request)
        answer = request.sign().send()
        assert (answer.code, answer.status) == (code, 400), what
    for what, (change, code) in AFTER.items():
        request = call().sign()
        change(request)
        answer = request.send()
        assert (answer.code, answer.status) == (code, 403 if code.startswith("Missing") else 400), what
    assert recorded(cluster, "ListKeys") == before


def test_the_clock_may_be_almost_five_minutes_off(call):
    for skew in (-270, 270):
        assert call(skew=skew).sign().send().status == 200


def test_what_is_not_signed_may_change_on_the_way(call):
    request = call().sign()
    request.headers += [("amz-sdk-request", "attempt=2"), ("User-Agent", "x"), ("X-Amzn-Trace-Id", "Root=1")]
    assert request.send().status == 200
    chunked = call().sign()
    chunked.framing = [("Transfer-Encoding", "chunked")]
    half = len(chunked.body) // 2
    parts = [chunked.body[:half], chunked.body[half:], b""]
    assert chunked.send(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)).status == 200


def test_a_replayed_call_has_no_second_effect(kms, call):
    """SigV4 has no nonce: the same bytes are the same call, and a named call is done once."""
    key = kms.create_key()["KeyMetadata"]["Arn"]
    user = f"arn:aws:iam::{key.split(':')[4]}:user/admin"
    request = call(
        json.dumps({"KeyId": key, "GranteePrincipal": user, "Operations": ["Decrypt"], "Name": "once"}),
        target="TrentService.CreateGrant").sign()
    answers = [request.send() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len({json.loads(answer.body)["GrantId"] for answer in answers}) == 1
    # Nothing is answered from storage: tokens differ.
    assert len({json.loads(answer.body)["GrantToken"] for answer in answers}) == 3
    assert len(kms.list_grants(KeyId=key)["Grants"]) == 1


def test_presigned_calls(cluster):
    url = cluster.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    assert b"<Account>" in cluster.urlopen(url).read()
    parts = urlsplit(url)

    def get(query, *headers):
        lines = [f"GET /?{query} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close", *headers]
        return exchange(parts, "\r\n".join(lines).encode() + b"\r\n\r\n")

    for old, new, status, code in [
        ("X-Amz-Expires=60", "X-Amz-Expires=61", 403, "SignatureDoesNotMatch"),
        ("X-Amz-Expires=60", "X-Amz-Expires=0", 400, "IncompleteSignature"),
        ("X-Amz-Expires=60", "X-Amz-Expires=604801", 400, "IncompleteSignature"),
        ("Action=GetCallerIdentity", "Action=GetSessionToken", 403, "SignatureDoesNotMatch"),
        ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=", 403, "SignatureDoesNotMatch"),
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", 400, "IncompleteSignature"),
    ]:
        assert old in parts.query
        answer = get(parts.query.replace(old, new))
        assert (answer.status, answer.code) == (status, code), new or old
    both = get(parts.query, "Authorization: AWS4-HMAC-SHA256 Credential=a/20200101/r/s/aws4_request, SignedHeaders=host, Signature=0")
    assert (both.status, both.code) == (400, "IncompleteSignature")


def resident(cluster):
    status = Path(f"/proc/{cluster.processes('authority')[0]}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) << 10


def padded(size):
    body = '{"Limit": 1}'
    return body + " " * (size - len(body))


BODIES = {
    "a mebibyte less one": (padded((1 << 20) - 1), 200, ""),
    "a mebibyte": (padded(1 << 20), 200, ""),
    "a mebibyte and one": (padded((1 << 20) + 1), 413, "RequestEntityTooLarge"),
    "ten thousand arrays": ("[" * 10_000 + "]" * 10_000, 400, MALFORMED),
    "thirty-two deep": ('{"a":' * 31 + "{}" + "}" * 31, 200, ""),
    "thirty-three deep": ('{"a":' * 32 + "{}" + "}" * 32, 400, MALFORMED),
    "a thousand entries": ("{" + ",".join(f'"k{n}":1' for n in range(1000)) + "}", 200, ""),
    "a thousand and one": ("{" + ",".join(f'"k{n}":1' for n in range(1001)) + "}", 400, MALFORMED),
    "a doubled key": ('{"Limit": 1, "Limit": 2}', 400, MALFORMED),
    "a doubled key, one escaped": ('{"Limit": 1, "\\u004cimit": 2}', 400, MALFORMED),
    "NaN": ('{"Limit": NaN}', 400, MALFORMED),
    "a number beyond all": ('{"Limit": 1e999}', 400, MALFORMED),
    "a lone surrogate": ('{"Marker": "\\ud800"}', 400, MALFORMED),
    "invalid UTF-8": (b'{"Marker": "\xff"}', 400, MALFORMED),
    "an overlong NUL": (b'{"Marker": "\xc0\x80"}', 400, MALFORMED),
    "NUL": (b'{"Marker": "\0"}', 400, MALFORMED),
    "an escaped NUL": ('{"Marker": "\\u0000"}', 400, MALFORMED),
    "text after the value": ('{"Limit": 1} {}', 400, MALFORMED),
}


def test_bodies(cluster, call):
    """Each is taken or refused at once, and memory does not grow with what is sent."""
    call().sign().send()
    before = resident(cluster)
    for _ in range(5):
        for what, (body, status, code) in BODIES.items():
            answer = call(body).sign().send()
            assert (answer.status, answer.code) == (status, code), what
    # Bombs are never unpacked: a gibibyte of zeros in a mebibyte.
    bomb = call(gzip.compress(b"\0" * (256 << 20), 9))
    bomb.headers.append(("Content-Encoding", "gzip"))
    answer = bomb.sign().send()
    assert (answer.status, answer.code) == (400, MALFORMED)
    assert resident(cluster) - before < 96 << 20


@pytest.mark.parametrize("framing", [
    [("Content-Length", "12"), ("Transfer-Encoding", "chunked")], [("Transfer-Encoding", "chunked"), ("Content-Length", "12")],
    [("Content-Length", "12"), ("Content-Length", "12")], [("Content-Length", "12"), ("Content-Length", "0")],
    [("Content-Length", "+12")], [("Transfer-Encoding", "gzip, chunked")], [("Transfer-Encoding", "identity")],
])
def test_a_length_that_two_readers_take_differently_is_refused(call, framing):
    request = call().sign()
    request.framing = framing
    assert request.send().status == 400


def test_targets_that_are_no_path_are_refused(call):
    for target in ("http://127.0.0.1/", "*", "127.0.0.1:80"):
        request = call().sign()
        request.path = target
        assert request.send().status == 400


def test_headers_at_their_bounds(call):
    """100 of them, 16 KiB together, whatever the names."""
    def with_headers(count):
        request = call().sign()
        # Connection and Content-Length come on top.
        request.headers += [(f"X-{n}", "1") for n in range(count - len(request.headers) - 2)]
        return request.send().status
    assert [with_headers(count) for count in (99, 100, 101)] == [200, 200, 431]

    def with_bytes(size):
        request = call().sign()
        used = sum(len(name) + len(value) for name, value in request.headers)
        used += len("Connectionclose") + len("Content-Length") + len(str(len(request.body)))
        request.headers.append(("X-0", "v" * (size - used - 3)))
        return request.send().status
    assert [with_bytes((16 << 10) + excess) for excess in (-1, 0, 1)] == [200, 200, 431]


def test_the_authority_goes_on(kms):
    assert wait_for("an answer", lambda: kms.list_keys(Limit=1)["Keys"])
