"""What crosses loopback: recorded without a tool of others, put together to streams, and searched for secrets in every form that
they could travel in."""
import base64
import ctypes
import gzip
import json
import os
import socket
import struct
import threading
import urllib.parse
import zlib
from collections import defaultdict
from pathlib import Path

SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS = 263, 6
ETH_P_ALL = 0x0003
# Where the kernel's filter language reads a packet's direction instead of its bytes.
SKF_AD_PKTTYPE = 0xFFFFF000 + 4
PACKET_OUTGOING = 4
SYN = 2

# Shorter than that, and a form would be met by chance in the ciphertext of some megabytes.
SHORTEST_FORM = 8


def missing_right():
    """Why this process cannot record loopback; nothing where it can."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        return "recording loopback needs CAP_NET_RAW"
    except OSError as error:
        return f"recording loopback needs packet sockets: {error}"
    # Sockets of hardened processes are shown to root alone, and a recording of ports that were guessed proves nothing.
    return None if os.geteuid() == 0 else "telling which sockets are the cluster's needs root"


class Recording:
    """Every TCP packet on `lo` from or to the ports that are watched, whole, until `stop`."""

    def __init__(self, *ports):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            # Room for all of it: a recording with holes is refused in the end.
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 512 << 20)
        except PermissionError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 512 << 20)
        self.ports, self.packets = set(), []
        self.watch(*ports)
        self.socket.bind(("lo", ETH_P_ALL))
        self.socket.settimeout(0.1)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.record)
        self.thread.start()

    def watch(self, *ports):
        """From now on these ports too. The kernel leaves out all others: what else runs on this machine is none of ours."""
        self.ports |= set(ports)
        self.take(self.ports)

    def take(self, ports):
        program = self.program(sorted(ports))
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))

    @staticmethod
    def program(ports):
        """In the kernel's filter language: TCP that comes in (loopback shows each packet twice) from or to a port of those."""
        word, half, byte, indexed_half, header_length, length = 0x20, 0x28, 0x30, 0x48, 0xB1, 0x01
        equal, jump, give = 0x15, 0x05, 0x06
        lines = [
            (None, word, SKF_AD_PKTTYPE), (None, equal, PACKET_OUTGOING, "refuse", None),
            (None, half, 12), (None, equal, 0x0800, None, "v6"),
            # The TCP header is behind as many words as the IP header's first byte says.
            (None, byte, 23), (None, header_length, 14), (None, jump, "tcp"),
            # Extension headers nobody puts on loopback.
            ("v6", equal, 0x86DD, None, "refuse"), (None, byte, 20), (None, length, 40),
            ("tcp", equal, 6, None, "refuse"),
        ]
        for offset in (14, 16):
            lines += [(None, indexed_half, offset), *((None, equal, port, "accept", None) for port in ports)]
        lines += [("refuse", give, 0), ("accept", give, 0x7FFFFFFF)]
        labels = {line[0]: place for place, line in enumerate(lines) if line[0]}

        def step(place, code, value, yes=None, no=None):
            yes, no = (labels[label] - place - 1 if label else 0 for label in (yes, no))
            return code, yes, no, labels[value] - place - 1 if code == jump else value

        return [step(place, *line[1:]) for place, line in enumerate(lines)]

    def record(self):
        while True:
            try:
                self.packets.append(self.socket.recv(1 << 18))
            except TimeoutError:
                # Only when nothing waits any more.
                if self.over.is_set():
                    return

    def stop(self):
        """Ends it; the streams, by connection. Refuses what has holes."""
        # Nothing more comes in, so that what waits has an end.
        self.take(())
        self.over.set()
        self.thread.join()
        statistics = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self.socket.close()
        seen, dropped = struct.unpack("II", statistics)
        assert dropped == 0, f"{dropped} of {seen} packets were not recorded"
        return streams(self.packets)


class Stream:
    """One direction of one connection."""

    def __init__(self, source, target, began):
        self.source, self.target = source, target
        # The sequence number of its first byte; None where the recording began in the middle of it.
        self.first = began
        self.whole = began is not None
        self.parts, self.packets = {}, 0

    def add(self, sequence, payload):
        if self.first is None:
            self.first = sequence
        position = (sequence - self.first) & 0xFFFFFFFF
        if payload and len(payload) > len(self.parts.get(position, b"")):
            self.parts[position] = payload

    def data(self):
        joined = bytearray()
        for position in sorted(self.parts):
            part = self.parts[position]
            if position >= 1 << 31:
                # A keep-alive probe repeats the byte before the first one.
                continue
            assert position <= len(joined), f"{len(joined)}…{position} of {self.source} → {self.target} was not recorded"
            # What was sent again is there already.
            joined += part[len(joined) - position:]
        return bytes(joined)


def streams(packets):
    """The TCP streams that Ethernet frames hold, in the order in which they began."""
    found, open_ = [], {}
    for frame in packets:
        kind = frame[12:14]
        if kind == b"\x08\x00":
            length = (frame[14] & 15) * 4
            # Packets above 64 KiB have no length of their own.
            end = 14 + (int.from_bytes(frame[16:18], "big") or len(frame) - 14)
            source, target, tcp = frame[26:30], frame[30:34], 14 + length
        elif kind == b"\x86\xdd":
            end = 14 + 40 + (int.from_bytes(frame[18:20], "big") or len(frame) - 54)
            source, target, tcp = frame[22:38], frame[38:54], 54
        else:
            continue
        from_, to, sequence = struct.unpack_from(">HHI", frame, tcp)
        offset, flags = (frame[tcp + 12] >> 4) * 4, frame[tcp + 13]
        payload = frame[tcp + offset:end]
        name = (source, from_, target, to)
        if flags & SYN:
            stream = open_.get(name)
            if stream is None or stream.first != (sequence + 1) & 0xFFFFFFFF:
                open_[name] = stream = Stream(from_, to, (sequence + 1) & 0xFFFFFFFF)
                found.append(stream)
        elif name not in open_:
            if not payload:
                # A port that refuses answers without a beginning.
                continue
            open_[name] = stream = Stream(from_, to, None)
            found.append(stream)
        else:
            stream = open_[name]
        stream.packets += 1
        if not flags & SYN:
            stream.add(sequence, payload)
    return found


class PlainText(AssertionError):
    pass


def tls_records(data):
    """How many records of each type a stream is, to its last byte; refuses what is anything else."""
    counts, place = defaultdict(int), 0
    while place < len(data):
        head = data[place:place + 5]
        if len(head) < 5:
            break
        kind, version, length = struct.unpack(">BHH", head)
        # RFC 8446, 5.2: at most 2^14 + 256 bytes; TLS 1.2 allows 2^14 + 2048.
        if not 0x14 <= kind <= 0x17 or version not in (0x0301, 0x0303) or length > 2 ** 14 + 2048:
            raise PlainText(f"byte {place} of {len(data)} begins no TLS record: {head.hex()}")
        counts[kind] += 1
        place += 5 + length
    return counts


# Needles


def base64_forms(raw):
    """What of it base64 shows wherever it begins: at each of the three positions, without the characters that neighbours share."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw)
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        yield text[first:last]
        if b"+" in text or b"/" in text:
            yield text[first:last].translate(bytes.maketrans(b"+/", b"-_"))


def forms(raw):
    """Every form in which it is looked for: as it is, in base64, in hex, in JSON and in URLs."""
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), raw.replace(b"/", b"\\/"), *base64_forms(raw)}
    try:
        text = raw.decode()
        found.add(urllib.parse.quote(text, safe="").encode())
        found.add(json.dumps(text)[1:-1].encode())
    except UnicodeDecodeError:
        pass
    return {form for form in found if len(form) >= SHORTEST_FORM}


def inflated(data):
    """What is compressed in it by gzip or zlib, as far as it can be unpacked."""
    starts = [(place, 31) for place in places(data, b"\x1f\x8b\x08")]
    starts += [(place, 15) for second in (0x01, 0x5E, 0x9C, 0xDA) for place in places(data, bytes([0x78, second]))]
    view = memoryview(data)
    for place, window in starts:
        unpacker, unpacked = zlib.decompressobj(window), bytearray()
        try:
            while place < len(data) and not unpacker.eof and len(unpacked) < 64 << 20:
                unpacked += unpacker.decompress(view[place:place + 4096])
                place += 4096
        except zlib.error:
            pass  # Mostly no such thing, but three bytes that look like its beginning.
        if unpacked:
            yield bytes(unpacked)


def places(data, wanted):
    place = data.find(wanted)
    while place >= 0:
        yield place
        place = data.find(wanted, place + 1)


class Search:
    """Looks for named secrets."""

    def __init__(self, secrets):
        # By their first bytes: one look at each place of what is searched, however many forms there are.
        self.forms = defaultdict(list)
        for name, raw in secrets.items():
            raw = raw if isinstance(raw, bytes) else raw.encode()
            assert len(raw) >= SHORTEST_FORM, f"{name} is too short to be told from chance"
            for form in forms(raw):
                self.forms[form[:SHORTEST_FORM]].append((form, name))

    def __call__(self, data):
        """Names of what is in these bytes, or in what is compressed in them."""
        found = set()
        for text in (data, *inflated(data)):
            starts = (place for place in range(len(text) - SHORTEST_FORM + 1) if text[place:place + SHORTEST_FORM] in self.forms)
            for place in starts:
                found |= {name for form, name in self.forms[text[place:place + SHORTEST_FORM]] if text.startswith(form, place)}
        return found


# Whose sockets


def descendants(pid):
    """A process and all that it started."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            children[int(stat.rpartition(")")[2].split()[1])].append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children[found[-1]]
    return found


def sockets(pid):
    """TCP sockets of a process: (local port, remote port, whether it listens)."""
    inodes = set()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        return []
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                local, remote = (int(fields[i].rpartition(":")[2], 16) for i in (1, 2))
                found.append((local, remote, fields[3] == "0A"))
    return found


def gzipped(data):
    return gzip.compress(data, mtime=0)
