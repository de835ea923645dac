"""Requests signed by hand and sent as bytes, so that each of their parts can be wrong."""
import datetime
import hashlib
import hmac
import re
import socket
import ssl
from urllib.parse import urlsplit

from conftest import REGION


class Answer:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.closed = not data
        self.status = int(head.split(b" ", 2)[1]) if data else 0
        found = re.search(rb'"__type":"(\w+)"|<Code>(\w+)</Code>', self.body)
        self.code = next((group.decode() for group in found.groups() if group), "") if found else ""


class Signed:
    """One request. Change a member before `sign()` and the signature covers it, after it and it does not."""

    def __init__(self, endpoint, credentials, target, body, service="kms"):
        self.address = urlsplit(endpoint)
        self.key_id, self.secret = credentials["aws_access_key_id"], credentials["aws_secret_access_key"]
        self.service, self.region, self.day = service, REGION, None
        self.method, self.path, self.query = "POST", "/", ""
        self.body = body if isinstance(body, bytes) else body.encode()
        self.headers = [("Host", self.address.netloc), ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", target)]
        self.unsigned = set()
        self.skew = 0
        self.framing = None

    def sign(self):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.skew)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        self.headers.append(("X-Amz-Date", stamp))
        scope = f"{self.day or stamp[:8]}/{self.region}/{self.service}/aws4_request"
        headers = sorted((name.lower(), value) for name, value in self.headers if name.lower() not in self.unsigned)
        names = ";".join(name for name, _ in headers)
        canonical = "\n".join([
            self.method, self.path, self.query, *(f"{name}:{value}" for name, value in headers), "", names,
            hashlib.sha256(self.body).hexdigest()])
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        self.signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        self.headers.append((
            "Authorization",
            f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, SignedHeaders={names}, Signature={self.signature}"))
        return self

    def header(self, name, change):
        self.headers = [(other, change(value) if other.lower() == name else value) for other, value in self.headers]

    def data(self):
        target = self.path + ("?" + self.query if self.query else "")
        framing = self.framing or [("Content-Length", str(len(self.body)))]
        lines = [f"{self.method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in [*self.headers, ("Connection", "close"), *framing]]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def send(self, payload=None):
        return exchange(self.address, self.data() + (self.body if payload is None else payload))


# Whom these tests reach is not their matter; test_tls.py is about that.
CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname, CONTEXT.verify_mode = False, ssl.CERT_NONE


def connect(address, timeout=60):
    connection = socket.create_connection((address.hostname, address.port), timeout)
    return CONTEXT.wrap_socket(connection) if address.scheme == "https" else connection


def exchange(address, data):
    """What comes until the other side closes; nothing where it closed without an answer."""
    received = b""
    with connect(address) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # Refused before all was sent; the answer may be there all the same.
        while True:
            try:
                part = connection.recv(65536)
            except (ConnectionResetError, ssl.SSLError):
                break
            if not part:
                break
            received += part
    return Answer(received)
