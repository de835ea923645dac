"""The few system calls of namespaces and mounts that Python 3.11 has no name for. Each raises OSError."""
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2
SET_PDEATHSIG, CAPBSET_DROP, SET_NO_NEW_PRIVS = 1, 24, 38


def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}{arguments}: {os.strerror(number)}")


def encoded(text):
    return None if text is None else os.fsencode(text)


def unshare(kinds):
    call("unshare", kinds)


def setns(descriptor, kind=0):
    call("setns", descriptor, kind)


def mount(source, target, kind=None, flags=0, data=None):
    call("mount", encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(data))


def unmount(target, flags=0):
    call("umount2", encoded(target), flags)


def pivot_root(new, old):
    # glibc has no function for it; 155 on x86-64, 41 on arm64.
    number = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
    call("syscall", number, encoded(new), encoded(old))


def prctl(option, argument=0):
    call("prctl", option, ctypes.c_ulong(argument), 0, 0, 0)
