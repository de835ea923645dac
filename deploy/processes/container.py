#!/usr/bin/python3 -BIS
"""One process in namespaces of its own, as a container has them, without an engine and images:

  container.py start SPECIFICATION NETWORK            becomes the first process of new namespaces; ends with it
  container.py enter SPECIFICATION PID COMMAND...     runs a command beside it, as its user

NETWORK is the path of a network namespace, SPECIFICATION a file of JSON (plan.Process). Ends when its parent does. Run as root.
"""
import json
import os
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import linux  # noqa: E402

# Handed on to the process.
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
OLD = "/.old"


def point(path, folder):
    """A place to mount on. The layer above the image takes it."""
    path = Path(path)
    if folder:
        path.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def bind(source, target, writable):
    point(target, os.path.isdir(source))
    linux.mount(source, target, flags=linux.BIND)
    if not writable:
        linux.mount(None, target, flags=linux.REMOUNT | linux.BIND | linux.RDONLY | linux.NOSUID | linux.NODEV)


def enter_root(specification):
    """A root of the image and a layer above it, which nobody else sees; nothing of the machine's own root is left in it."""
    linux.mount(None, "/", flags=linux.REC | linux.PRIVATE)
    stage = specification["stage"]
    linux.mount("tmpfs", stage, "tmpfs", linux.NOSUID, "mode=755,size=64m")
    for name in ("upper", "work", "root"):
        os.mkdir(f"{stage}/{name}")
    linux.mount("overlay", f"{stage}/root", "overlay", 0,
                f"lowerdir={specification['root']},upperdir={stage}/upper,workdir={stage}/work")
    os.mkdir(f"{stage}/root{OLD}")
    linux.pivot_root(f"{stage}/root", f"{stage}/root{OLD}")
    os.chdir("/")


def fill_root(specification):
    for folder in ("/proc", "/sys", "/dev", "/tmp"):
        point(folder, folder=True)
    linux.mount("proc", "/proc", "proc", linux.NOSUID | linux.NODEV | linux.NOEXEC)
    linux.mount("sysfs", "/sys", "sysfs", linux.NOSUID | linux.NODEV | linux.NOEXEC | linux.RDONLY)
    linux.mount("tmpfs", "/dev", "tmpfs", linux.NOSUID, "mode=755,size=64k")
    for device in DEVICES:
        point(f"/dev/{device}", folder=False)
        linux.mount(f"{OLD}/dev/{device}", f"/dev/{device}", flags=linux.BIND)
    for link, target in {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        os.symlink(target, f"/dev/{link}")
    point("/dev/shm", folder=True)
    linux.mount("tmpfs", "/dev/shm", "tmpfs", linux.NOSUID | linux.NODEV, f"mode=1777,size={specification['shared_memory']}")
    for path, text in specification["files"].items():
        point(path, folder=False)
        Path(path).write_text(text)
        os.chmod(path, 0o755 if text.startswith("#!") else 0o644)
    point(specification["folder"], folder=True)
    for target, options in specification["temporary"]:
        point(target, folder=True)
        linux.mount("tmpfs", target, "tmpfs", linux.NOSUID | linux.NODEV | linux.NOEXEC, options or None)
    for source, target, writable in specification["mounts"]:
        bind(OLD + source, target, writable)
    linux.unmount(OLD, linux.DETACH)
    os.rmdir(OLD)
    if specification["read_only"]:
        linux.mount(None, "/", flags=linux.REMOUNT | linux.BIND | linux.RDONLY)


def become(specification, arguments):
    """The user of the process, without a capability and a way to gain one; then the program."""
    for name, value in specification["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        highest = resource.getrlimit(kind)[1]
        value = value if highest == resource.RLIM_INFINITY else min(value, highest)
        resource.setrlimit(kind, (value, value))
    for capability in range(64):
        try:
            linux.prctl(linux.CAPBSET_DROP, capability)
        except OSError:
            break
    user, group = specification["user"]
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    linux.prctl(linux.SET_NO_NEW_PRIVS, 1)
    # Only now: the change of user forgets it.
    linux.prctl(linux.SET_PDEATHSIG, signal.SIGKILL)
    os.chdir(specification["folder"])
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    os.execvpe(arguments[0], arguments, specification["environment"])


def follow(child):
    """Hands signals on and ends as the child does."""
    for number in SIGNALS:
        signal.signal(number, lambda received, _: os.kill(child, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def in_child(work):
    """A PID namespace holds children, not who made it. A signal that comes meanwhile waits until it can be handed on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    child = os.fork()
    if child:
        follow(child)
    try:
        work()
    except Exception as error:  # noqa: BLE001
        print(f"error: {error}", file=sys.stderr, flush=True)
    os._exit(127)


def start(specification, network):
    linux.setns(os.open(network, os.O_RDONLY | os.O_CLOEXEC), linux.NEWNET)
    linux.unshare(linux.NEWNS | linux.NEWPID | linux.NEWIPC | linux.NEWUTS)

    def first():
        name = specification["name"].encode()
        linux.call("sethostname", name, len(name))
        enter_root(specification)
        fill_root(specification)
        become(specification, specification["arguments"])

    in_child(first)


def enter(specification, pid, arguments):
    opened = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("ipc", "uts", "net", "pid", "mnt")]
    for descriptor in opened:
        linux.setns(descriptor)
    in_child(lambda: become(specification, arguments))


if __name__ == "__main__":
    # Places to mount on are for the process's user to pass through, whatever who asks for a process hides of their own files.
    os.umask(0o022)
    linux.prctl(linux.SET_PDEATHSIG, signal.SIGKILL)
    loaded = json.loads(Path(sys.argv[2]).read_text())
    if sys.argv[1] == "start":
        start(loaded, sys.argv[3])
    else:
        enter(loaded, int(sys.argv[3]), sys.argv[4:])
