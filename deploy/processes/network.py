"""Networks of processes: a bridge each, all in one network namespace that nothing outside reaches; names as the engine's DNS has them."""
import asyncio
import os
import random
import socket
import struct
import subprocess

import linux

RESOLVER = "127.0.0.11"
# Named, since asyncio takes Nagle's delay away from what says that it is TCP alone.
PROTOCOLS = {socket.SOCK_STREAM: socket.IPPROTO_TCP, socket.SOCK_DGRAM: socket.IPPROTO_UDP}
# One process of these networks more is refused.
ADDRESSES = range(2, 250)


def in_namespace(descriptor, work):
    """What `work` makes belongs to that network namespace and stays in it. Nothing else of this thread runs meanwhile."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if descriptor is None:
            linux.unshare(linux.NEWNET)
        else:
            linux.setns(descriptor, linux.NEWNET)
        try:
            return work()
        finally:
            linux.setns(here, linux.NEWNET)
    finally:
        os.close(here)


class Namespace:
    """A network namespace with a loopback interface; it is gone with its last process once it is closed here."""

    def __init__(self):
        self.descriptor = in_namespace(None, lambda: os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        self.path = f"/proc/{os.getpid()}/fd/{self.descriptor}"
        self.addresses = {}
        self.ip("link set lo up")

    def ip(self, *commands):
        subprocess.run(["nsenter", f"--net={self.path}", "ip", "-batch", "-"], input="\n".join(commands) + "\n",
                       text=True, check=True, timeout=10)

    def socket(self, kind, address=None):
        def make():
            made = socket.socket(socket.AF_INET, kind, PROTOCOLS[kind])
            made.setblocking(False)
            if address:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                made.bind(address)
            return made
        return in_namespace(self.descriptor, make)

    def close(self):
        os.close(self.descriptor)


class Networks:
    """Bridges, and a namespace for each process on some of them."""

    def __init__(self):
        self.hub = Namespace()
        self.bridges = {}
        self.free = list(ADDRESSES)

    def bridge(self, network):
        if network not in self.bridges:
            name, number = f"net{len(self.bridges)}", len(self.bridges)
            self.hub.ip(f"link add {name} type bridge", f"addr add 172.30.{number}.1/24 dev {name}", f"link set {name} up")
            self.bridges[network] = name, number
        return self.bridges[network]

    def join(self, networks):
        namespace = Namespace()
        if networks:
            if not self.free:
                raise OSError("no address is free")
            # The one that was left longest ago comes back first: what still asks for it finds nobody.
            namespace.host = self.free.pop(0)
        for index, network in enumerate(networks):
            bridge, number = self.bridge(network)
            outer, address = f"v{namespace.host}n{number}", f"172.30.{number}.{namespace.host}"
            self.hub.ip(f"link add {outer} type veth peer name eth{index} netns {namespace.path}",
                        f"link set {outer} master {bridge} up")
            namespace.ip(f"addr add {address}/24 dev eth{index}", f"link set eth{index} up")
            namespace.addresses[network] = address
        return namespace

    def leave(self, namespace):
        for network in namespace.addresses:
            self.hub.ip(f"link del v{namespace.host}n{self.bridges[network][1]}")
        if namespace.addresses:
            self.free.append(namespace.host)
        namespace.close()


class Names(asyncio.DatagramProtocol):
    """The engine's DNS for one process: A records of what it shares a network with; nothing is asked further out."""

    def __init__(self, lookup):
        self.lookup = lookup

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, sender):
        try:
            self.transport.sendto(self.answer(data), sender)
        except (ValueError, IndexError, UnicodeDecodeError, struct.error):
            # What is no question gets no answer.
            return

    def answer(self, data):
        identity, flags, questions = struct.unpack_from("!HHH", data)
        if questions != 1 or flags & 0x8000:
            raise ValueError("one question, please")
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("ascii").lower())
            at += 1 + data[at]
        kind, = struct.unpack_from("!H", data, at + 1)
        question = data[12:at + 5]
        found = self.lookup(".".join(labels))
        # Every replica gets its share.
        records = random.sample(found, len(found)) if kind == 1 else []
        head = struct.pack("!HHHHHH", identity, 0x8180 if found else 0x8183, 1, len(records), 0, 0)
        # 0xC00C: the name in the question.
        return head + question + b"".join(
            struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address) for address in records)


async def door(listening, reach):
    """Hands each connection at a bound socket on to one that `reach` makes."""
    async def copy(reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()

    async def accepted(reader, writer):
        try:
            there = reach()
        except OSError:
            return writer.close()
        outer = None
        try:
            made, address = there
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(made, address), 5)
            inner, outer = await asyncio.open_connection(sock=made)
            await asyncio.gather(copy(reader, outer), copy(inner, writer))
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            for end in (writer, outer):
                if end:
                    end.close()

    return await asyncio.start_server(accepted, sock=listening, backlog=512)
