"""What an engine does for a cluster of containers, for processes: starts them when what they need is well, asks for their health,
starts again what ended, answers names, and stops everything that it started. One thread; asked by lines of JSON at a Unix socket."""
import asyncio
import dataclasses
import json
import os
import random
import signal
import socket
import sys
from pathlib import Path

import network
import plan

CONTAINER = str(Path(__file__).resolve().parent / "container.py")
START_PATIENCE_SECONDS = 300
RESTART_PAUSE_SECONDS = (0.1, 10)
REQUEST_BYTES_MAX = 1 << 20


def send(child, number):
    """Not by `child` itself, which would look first whether it has ended, and so take its exit code from who waits for it."""
    try:
        os.kill(child.pid, number)
    except ProcessLookupError:
        pass


class Running:
    """A process that is wanted: where it is, and how it is."""

    def __init__(self, process, namespace, specification):
        self.process, self.namespace, self.specification = process, namespace, specification
        self.launcher = None
        self.task = None
        self.state = "waits for what it needs"
        self.wanted = True
        self.servers = []
        # Doors to the broker, which move when it is started again.
        self.broker_doors = []

    @property
    def well(self):
        return self.state in ("Up", "Up (healthy)")

    def pid(self):
        """The first process of its namespaces, a child of the launcher."""
        if self.launcher is None or self.launcher.returncode is not None:
            return None
        children = Path(f"/proc/{self.launcher.pid}/task/{self.launcher.pid}/children").read_text().split()
        return int(children[0]) if children else None


class Supervisor:
    def __init__(self, data):
        self.data = Path(data)
        self.folder = self.data / "processes"
        for name in ("stage", "specifications", "logs"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.data / "volumes").mkdir(mode=0o711, exist_ok=True)
        self.networks = network.Networks()
        self.running = {}
        self.leases = []
        self.broker = None
        self.ended = asyncio.Event()

    # --- what a process is given -------------------------------------------------------------------------------------------

    def source(self, process, root, source, target):
        """Where a mount is on this machine; a volume takes over owner and mode of the folder that it is mounted on."""
        if source.startswith("/"):
            if not os.path.exists(source):
                raise FileNotFoundError(f"{process.name} mounts {source}, which is not there")
            return os.path.realpath(source)
        volume = self.data / "volumes" / source
        if not volume.exists():
            there = root / target.lstrip("/")
            if target in process.folders:
                user, group, mode = process.folders[target]
            elif there.exists():
                found = there.stat()
                user, group, mode = found.st_uid, found.st_gid, found.st_mode & 0o7777
            else:
                user, group, mode = 0, 0, 0o755
            volume.mkdir()
            os.chown(volume, user, group)
            volume.chmod(mode)
        return str(volume)

    def specify(self, process):
        """The specification as a file, and the same as text, which tells whether a process is still the one that is wanted."""
        root = (self.data / "roots" / process.root).resolve(strict=True)
        told = dataclasses.asdict(process) | {
            "root": str(root), "stage": str(self.folder / "stage"),
            "mounts": [(self.source(process, root, source, target), target, writable) for source, target, writable in process.mounts],
            "files": process.files | {
                "/etc/resolv.conf": f"nameserver {network.RESOLVER}\noptions ndots:0\n",
                "/etc/hosts": f"127.0.0.1 localhost\n127.0.0.1 {process.name}\n", "/etc/hostname": f"{process.name}\n"}}
        return json.dumps(told, indent=1)

    def write(self, name, text):
        path = self.folder / "specifications" / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    # --- names and doors ---------------------------------------------------------------------------------------------------

    def lookup(self, networks):
        def addresses(name):
            return [running.namespace.addresses[shared] for running in self.running.values()
                    if name in (running.process.service, running.process.name) and running.launcher
                    for shared in running.process.networks if shared in networks]
        return addresses

    async def join(self, process):
        namespace = self.networks.join(process.networks)
        if process.networks:
            listening = namespace.socket(socket.SOCK_DGRAM, (network.RESOLVER, 53))
            loop = asyncio.get_running_loop()
            await loop.create_datagram_endpoint(lambda: network.Names(self.lookup(process.networks)), sock=listening)
        return namespace

    async def publish(self, running):
        """The doors of the file's `ports`: from this machine's own address to the process."""
        for address, here, there in running.process.doors:
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, here))
            target = random.choice(list(running.namespace.addresses.values())), there
            running.servers.append(await network.door(
                listening, lambda target=target: (self.networks.hub.socket(socket.SOCK_STREAM), target)))

    async def lead_to_broker(self, running):
        """The mock cluster tells its clients that it is at a port of loopback: there is one in each namespace that leads to it."""
        for server in running.broker_doors:
            server.close()
        running.broker_doors = []
        if not self.broker or not running.process.networks:
            return
        owner, address = self.broker
        if owner is running:
            bound = [(own, running.process.port) for own in running.namespace.addresses.values()]
        else:
            bound = [address]
        for place in bound:
            running.broker_doors.append(await network.door(
                running.namespace.socket(socket.SOCK_STREAM, place),
                lambda: (owner.namespace.socket(socket.SOCK_STREAM), address)))

    def leave(self, running):
        for server in running.servers + running.broker_doors:
            server.close()
        self.networks.leave(running.namespace)

    # --- health ------------------------------------------------------------------------------------------------------------

    async def check(self, running):
        pid = running.pid()
        if pid is None:
            return False
        checking = await asyncio.create_subprocess_exec(
            CONTAINER, "enter", running.specification, str(pid), *running.process.health["test"], stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        try:
            return await asyncio.wait_for(checking.wait(), running.process.health["timeout"]) == 0
        except asyncio.TimeoutError:
            return False
        finally:
            if checking.returncode is None:
                send(checking, signal.SIGKILL)
                await checking.wait()

    async def watch(self, running):
        """As an engine counts: failures in a row, those of the start period aside."""
        process = running.process
        if process.ready:
            path = Path(self.inside(running, process.ready))
            while not path.exists():
                await asyncio.sleep(0.1)
            host, port = path.read_text().strip().rsplit(":", 1)
            self.broker = running, (host, int(port))
            for each in [*self.running.values(), *self.leases]:
                await self.lead_to_broker(each)
        if not process.health:
            running.state = "Up"
            return
        running.state, failures, since = "Up (health: starting)", 0, asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(process.health["interval"])
            if await self.check(running):
                running.state, failures = "Up (healthy)", 0
            elif running.well or asyncio.get_running_loop().time() - since > process.health["start_period"]:
                failures += 1
                if failures >= process.health["retries"]:
                    running.state = "Up (unhealthy)"

    def inside(self, running, path):
        """Where a path of a volume is on this machine."""
        for source, target, _ in json.loads(running.specification.read_text())["mounts"]:
            if path.startswith(target + "/"):
                return source + path.removeprefix(target)
        raise ValueError(f"{path} is in no volume")

    # --- lives -------------------------------------------------------------------------------------------------------------

    async def needed(self, process):
        """As docker-compose waits, but not for ever."""
        for _ in range(START_PATIENCE_SECONDS * 5):
            missing = [name for name, condition in process.needs.items()
                       if not [each for each in self.running.values() if each.process.service == name] or not all(
                           each.well or condition != "service_healthy" for each in self.running.values()
                           if each.process.service == name)]
            if not missing:
                return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{', '.join(missing)} is not well after {START_PATIENCE_SECONDS} seconds")

    async def once(self, running):
        process = running.process
        if process.ready:
            # Of the broker before, which may have been killed.
            Path(self.inside(running, process.ready)).unlink(missing_ok=True)
        with open(self.folder / "logs" / f"{process.name}.log", "ab") as log:
            # As an engine does, so that /dev/stderr can be opened.
            os.fchown(log.fileno(), process.user[0], -1)
            running.launcher = await asyncio.create_subprocess_exec(
                CONTAINER, "start", running.specification, running.namespace.path, stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        watching = asyncio.create_task(self.watch(running))
        code = await running.launcher.wait()
        watching.cancel()
        outcome, = await asyncio.gather(watching, return_exceptions=True)
        if isinstance(outcome, Exception):
            print(f"{process.name}: {outcome}", flush=True)
        running.state = f"Exited ({code})"

    async def live(self, running):
        pause, longest = RESTART_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        try:
            await self.needed(running.process)
            while running.wanted:
                began = loop.time()
                await self.once(running)
                if not running.process.restarts:
                    return
                if running.wanted:
                    print(f"{running.process.name} ended: {running.state}; it is started again", flush=True)
                    pause = RESTART_PAUSE_SECONDS[0] if loop.time() - began > longest else min(2 * pause, longest)
                    await asyncio.sleep(pause)
        except (OSError, TimeoutError) as error:
            running.state = f"Failed: {error}"

    async def end(self, running):
        """Asks as the file says, waits as long as it says, then insists."""
        if running.launcher and running.launcher.returncode is None:
            running.state = "is stopped"
            send(running.launcher, getattr(signal, running.process.stop_signal))
            try:
                await asyncio.wait_for(running.launcher.wait(), running.process.grace)
            except asyncio.TimeoutError:
                send(running.launcher, signal.SIGKILL)
                await running.launcher.wait()

    async def remove(self, running):
        running.wanted = False
        await self.end(running)
        if running.task:
            running.task.cancel()
            await asyncio.gather(running.task, return_exceptions=True)
        # Where its needs were met while it was to go.
        await self.end(running)
        self.leave(running)
        if self.running.get(running.process.name) is running:
            del self.running[running.process.name]

    # --- requests ----------------------------------------------------------------------------------------------------------

    async def up(self, config, services, scales):
        wanted = [process for process in plan.serving(config, scales) if not services or process.service in services]
        for running in list(self.running.values()):
            if running.process.service in {process.service for process in wanted} and running.process.name not in {
                    process.name for process in wanted}:
                await self.remove(running)
        for process in wanted:
            text = self.specify(process)
            old = self.running.get(process.name)
            if old and old.specification.read_text() == text and not old.state.startswith(("Failed", "Exited")):
                continue
            if old:
                await self.remove(old)
            running = Running(process, await self.join(process), self.write(process.name, text))
            self.running[process.name] = running
            await self.publish(running)
            await self.lead_to_broker(running)
            running.task = asyncio.create_task(self.live(running))
        return {}

    async def restart(self, name):
        await self.end(self.running[name])
        return {}

    async def down(self):
        """What needs another goes before it."""
        while self.running:
            needed = {name for running in self.running.values() for name in running.process.needs}
            last = [running for running in self.running.values() if running.process.service not in needed]
            await asyncio.gather(*(self.remove(running) for running in last or list(self.running.values())))
        self.ended.set()
        return {}

    def states(self, service=None):
        return {"processes": [
            {"name": name, "service": running.process.service, "state": running.state, "pid": running.pid(),
             "addresses": running.namespace.addresses, "specification": str(running.specification)}
            for name, running in sorted(self.running.items()) if service in (None, running.process.service)]}

    async def lease(self, config, service, arguments):
        """A network and a specification for a process that the asking one starts and ends."""
        process = plan.process(config, service, f"run-{random.randrange(1 << 32):08x}", arguments or None)
        specification = self.write(process.name, self.specify(process))
        running = Running(process, await self.join(process), specification)
        self.leases.append(running)
        await self.lead_to_broker(running)
        return running

    async def asked(self, reader, writer):
        leased = None

        async def reply(answer):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()

        try:
            request = json.loads(await reader.readline())
            action = request.pop("do")
            if action == "lease":
                leased = await self.lease(**request)
                await reply({"specification": str(leased.specification), "network": leased.namespace.path})
                # Until who asked has gone.
                await reader.read()
            else:
                answer = {"up": self.up, "restart": self.restart, "down": self.down, "states": self.states}[action](**request)
                await reply(await answer if asyncio.iscoroutine(answer) else answer)
        except (OSError, ValueError, KeyError) as error:
            await reply({"error": f"{type(error).__name__}: {error}"})
        finally:
            if leased:
                self.leases.remove(leased)
                leased.specification.unlink()
                self.leave(leased)
            writer.close()

    async def serve(self):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: loop.create_task(self.down()))
        control = self.folder / "control"
        control.unlink(missing_ok=True)
        # In a folder that only root enters.
        server = await asyncio.start_unix_server(self.asked, path=control, limit=REQUEST_BYTES_MAX)
        await self.ended.wait()
        server.close()
        control.unlink(missing_ok=True)


def serve(data):
    async def main():
        await Supervisor(data).serve()
    sys.stdout.reconfigure(line_buffering=True)
    asyncio.run(main())
