"""HTTP/2 at the API and the authority, with clients that know nothing of Forecastle: httpx, and curl where it speaks it."""
import asyncio
import base64
import contextlib
import json
import shutil
import ssl
import subprocess

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import REGION
from test_tls import credentials, own

LIST_DATASETS = ("forecast", "AmazonForecast.ListDatasets", {})
LIST_KEYS = ("kms", "TrentService.ListKeys", {"Limit": 1})


@pytest.fixture(scope="module")
def key(cluster):
    return cluster.client("kms").create_key()["KeyMetadata"]["Arn"]


def signed(cluster, service, target, body, secret=None, access_key=None, scope=None):
    """Address, headers and body of a call as botocore signs it."""
    url = cluster.env[f"AWS_ENDPOINT_URL_{service.upper()}"] + "/"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = AWSRequest("POST", url, data=data, headers={
        "X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"})
    identity = Credentials(access_key or cluster.env["AWS_ACCESS_KEY_ID"], secret or cluster.env["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(identity, scope or service, REGION).add_auth(request)
    return {"url": url, "headers": dict(request.headers.items()), "content": data}


def context(cluster, *certificate):
    made = ssl.create_default_context(cafile=cluster.ca_bundle)
    if certificate:
        made.load_cert_chain(*certificate)
    return made


@contextlib.contextmanager
def client(cluster, *certificate, http2=True):
    with httpx.Client(http2=http2, http1=not http2, verify=context(cluster, *certificate), timeout=60) as made:
        yield made


def test_both_servers_answer(cluster, key):
    with client(cluster) as http:
        datasets = http.post(**signed(cluster, *LIST_DATASETS))
        assert (datasets.http_version, datasets.status_code) == ("HTTP/2", 200) and "Datasets" in datasets.json()
        keys = http.post(**signed(cluster, *LIST_KEYS))
        assert (keys.http_version, keys.status_code) == ("HTTP/2", 200) and keys.json()["Keys"]
        made = http.post(**signed(cluster, "kms", "TrentService.GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256"}))
        assert (made.http_version, made.status_code) == ("HTTP/2", 200)
        opened = http.post(**signed(cluster, "kms", "TrentService.Decrypt", {"CiphertextBlob": made.json()["CiphertextBlob"]}))
        assert opened.json()["Plaintext"] == made.json()["Plaintext"]
        assert len(base64.b64decode(opened.json()["Plaintext"])) == 32
        # What comes by one version and what comes by the other is the same.
        sealed = http.post(**signed(cluster, "kms", "TrentService.Encrypt", {
            "KeyId": key, "Plaintext": base64.b64encode(b"x" * 4096).decode()})).json()["CiphertextBlob"]
    assert cluster.client("kms").decrypt(CiphertextBlob=base64.b64decode(sealed))["Plaintext"] == b"x" * 4096


@pytest.mark.parametrize("call", [LIST_DATASETS, LIST_KEYS], ids=["forecast", "kms"])
def test_a_wrong_signature_is_refused_as_by_http1(cluster, call):
    answers = []
    for http2 in (True, False):
        with client(cluster, http2=http2) as http:
            wrong = http.post(**signed(cluster, *call, secret="x" * 40))
            altered = signed(cluster, *call)
            altered["content"] = b'{"Limit": 2}'
            changed = http.post(**altered)
            moved = signed(cluster, *call)
            moved["headers"]["Host"] = "other.example"
            elsewhere = http.post(**moved)
            unsigned = signed(cluster, *call)
            del unsigned["headers"]["Authorization"]
            bare = http.post(**unsigned)
        answers.append([(a.status_code, a.json()["__type"]) for a in (wrong, changed, elsewhere, bare)])
        assert wrong.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert answers[0] == answers[1]
    assert [code for _, code in answers[0]] == ["InvalidSignatureException"] * 3 + ["MissingAuthenticationTokenException"]


@pytest.mark.parametrize("service, target", [LIST_DATASETS[:2], LIST_KEYS[:2]])
def test_a_body_beyond_the_bound_is_refused_and_the_connection_goes_on(cluster, service, target):
    made = []

    def trace(event, _):
        made.append(event) if event == "connection.connect_tcp.complete" else None

    with client(cluster) as http:
        for size, status in (((1 << 20) + 1, 413), (1 << 20, 200), (10, 200)):
            body = b"{}" + b" " * (size - 2)
            answer = http.post(**signed(cluster, service, target, body), extensions={"trace": trace})
            assert (answer.http_version, answer.status_code) == ("HTTP/2", status)
            if status == 413:
                assert answer.json()["__type"] == "RequestEntityTooLarge"
    assert len(made) == 1


def test_many_requests_go_over_one_connection(cluster, key):
    """A hundred at a time, more than are answered at a time, of two kinds."""
    made = []

    async def trace(event, _):
        if event == "connection.connect_tcp.complete":
            made.append(event)

    async def call(http, *arguments):
        return await http.post(**signed(cluster, *arguments), extensions={"trace": trace})

    async def run():
        async with httpx.AsyncClient(http2=True, http1=False, verify=context(cluster), timeout=60) as http:
            # The connection is there before the others come.
            await call(http, *LIST_KEYS)
            data_key = ("kms", "TrentService.GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256"})
            return await asyncio.gather(*(call(http, *(data_key if n % 2 else LIST_KEYS)) for n in range(100)))

    answers = asyncio.run(run())
    assert {(answer.http_version, answer.status_code) for answer in answers} == {("HTTP/2", 200)}
    assert len({answer.json()["Plaintext"] for answer in answers[1::2]}) == 50
    assert len({answer.headers["x-amzn-requestid"] for answer in answers}) == 100
    assert len(made) == 1


def test_the_certificate_of_the_connection_is_that_of_its_requests(cluster):
    api = credentials(cluster, "api")
    for certificate, refused in ((own(cluster.data / "tls", "api"), False), ((), True), (own(cluster.data / "tls", "worker"), True)):
        with client(cluster, *certificate) as http:
            for _ in range(2):
                answer = http.post(**signed(
                    cluster, "kms", "ForecastleAuthority.Authorize", {}, scope="forecast", secret=api["SecretAccessKey"],
                    access_key=api["AccessKeyId"]))
                assert answer.http_version == "HTTP/2"
                wanted = "the certificate of spiffe://forecastle/api" in answer.text
                assert wanted == refused and (answer.json()["__type"] == "AccessDeniedException") == refused, answer.text


def test_curl_chooses_it(cluster):
    features = subprocess.run([shutil.which("curl") or "false", "--version"], capture_output=True, text=True).stdout
    if "HTTP2" not in features:
        pytest.skip("no curl that speaks HTTP/2 is installed")
    for call, flag, version in ((LIST_DATASETS, "--http2", "2"), (LIST_KEYS, "--http2", "2"), (LIST_KEYS, "--http1.1", "1.1")):
        made = signed(cluster, *call)
        arguments = [part for name, value in made["headers"].items() for part in ("-H", f"{name}: {value}")]
        answer = subprocess.run(
            ["curl", "-sS", flag, "--cacert", cluster.ca_bundle, "-w", "\n%{http_version} %{http_code}", *arguments,
             "--data-binary", made["content"].decode(), made["url"]], capture_output=True, text=True, check=True)
        body, _, told = answer.stdout.rpartition("\n")
        assert told == f"{version} 200" and ("Keys" in json.loads(body) or "Datasets" in json.loads(body))
