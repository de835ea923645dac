"""Clients that keep the authority waiting (case 37 of the plan of faults): all of them are closed, and nobody else notices.

How much slower a working client gets is printed and not judged: run with -s to see it.
"""
import contextlib
import selectors
import threading
import time
from urllib.parse import urlsplit

import pytest
from conftest import wait_for
from wire import connect

SOCKETS = 500
IDLE = 2000


@pytest.fixture(scope="module")
def cluster(plain_authority):
    return plain_authority


@pytest.fixture(scope="module")
def kms(cluster):
    return cluster.client("kms")


@pytest.fixture(scope="module")
def address(cluster):
    return urlsplit(cluster.env["AWS_ENDPOINT_URL_KMS"])


class Crowd:
    """Sockets that send a little now and then until the other side closes them."""

    def __init__(self, address, count, opening, drip=b""):
        self.selector, self.drip, self.open, self.answers = selectors.DefaultSelector(), drip, set(), 0
        for _ in range(count):
            with contextlib.suppress(OSError):
                connection = connect(address)
                connection.sendall(opening)
                connection.setblocking(False)
                self.selector.register(connection, selectors.EVENT_READ)
                self.open.add(connection)
        self.made = len(self.open)

    def step(self):
        """Notices who was closed, and sends one drip each. Answers how many are still open."""
        for key, _ in self.selector.select(timeout=0):
            try:
                data = key.fileobj.recv(4096)
            except OSError:
                data = b""
            if data:
                self.answers += 1
            else:
                self.close(key.fileobj)
        if self.drip:
            for connection in list(self.open):
                try:
                    connection.send(self.drip)
                except BlockingIOError:
                    pass
                except OSError:
                    self.close(connection)
        return len(self.open)

    def close(self, connection):
        self.selector.unregister(connection)
        self.open.discard(connection)
        connection.close()

    def stop(self):
        for connection in list(self.open):
            self.close(connection)


class Customer(threading.Thread):
    """Calls one after the other, each of which must be answered."""

    def __init__(self, kms):
        super().__init__()
        self.kms, self.ended, self.times, self.errors = kms, threading.Event(), [], []

    def run(self):
        while not self.ended.is_set():
            start = time.monotonic()
            try:
                self.kms.list_keys(Limit=1)
            except Exception as error:  # noqa: BLE001 - any failure is what this is about
                self.errors.append(error)
            self.times.append(time.monotonic() - start)

    @contextlib.contextmanager
    def at_work(self):
        self.start()
        try:
            yield self
        finally:
            self.ended.set()
            self.join()
        assert not self.errors, self.errors[0]

    @property
    def p99(self):
        return sorted(self.times)[len(self.times) * 99 // 100]


HEAD = b"POST / HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize("what, count, opening, drip", [
    ("a header's byte now and then", SOCKETS, HEAD + b"X-Slow: ", b"v"),
    ("a body's byte now and then", SOCKETS, HEAD + b"Content-Length: 100000\r\n\r\n", b"v"),
    ("a flood of headers", 50, HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 500) for n in range(200)), b""),
    ("nothing at all", IDLE, b"", b""),
])
def test_who_keeps_the_authority_waiting_is_closed(cluster, kms, address, what, count, opening, drip):
    alone = Customer(kms)
    with alone.at_work():
        wait_for("calls by a client that is alone", lambda: len(alone.times) >= 100)
    crowd = Crowd(address, count, opening, drip)
    assert crowd.made == count
    among = Customer(kms)
    try:
        with among.at_work():
            # Every half second a byte: the deadlines are in the server, and this only waits for them.
            wait_for(f"{count} connections with {what} to be closed", lambda: crowd.step() == 0, seconds=120, every=0.5)
            wait_for("calls meanwhile", lambda: len(among.times) >= 100)
    finally:
        crowd.stop()
    print(f"\n{what}, {count} sockets: p99 of a working client {among.p99 * 1000:.1f} ms, alone {alone.p99 * 1000:.1f} ms")


def test_a_flood_of_headers_is_told_so(address):
    with connect(address) as connection:
        connection.sendall(HEAD + b"".join(b"X-%d: v\r\n" % n for n in range(5000)))
        assert connection.recv(4096).startswith(b"HTTP/1.1 431 ")
