"""compose.yaml, as docker-compose reads it, as a list of processes. No process is started here."""
import re
from dataclasses import dataclass
from pathlib import Path

import images

DEPLOY = Path(__file__).resolve().parents[1]

# What a service may say: kept to, or known and not kept to. Another word is refused, so that nothing is passed over in silence.
KEPT = {"command", "depends_on", "entrypoint", "env_file", "environment", "healthcheck", "image", "network_mode", "networks", "ports",
        "profiles", "read_only", "restart", "scale", "secrets", "shm_size", "stop_grace_period", "stop_signal", "tmpfs", "user", "volumes",
        # Always all of them, whatever the file says: a process keeps no capability and gets none.
        "cap_drop", "security_opt"}
NOT_KEPT = {"build": "the image is assembled of executables that are there already",
            "logging": "what a process prints goes to a file that is not rotated",
            "mem_limit": "no control groups", "cpus": "no control groups", "pids_limit": "no control groups"}
PARTLY = {"ulimits": "no higher than this machine lets root go"}


@dataclass
class Process:
    """One process: everything that container.py needs, and when the supervisor starts it and calls it well."""
    name: str
    service: str
    root: str
    arguments: list
    environment: dict
    folder: str
    user: tuple
    # (source, target, writable); a source that begins with "/" is a path, any other a volume.
    mounts: list
    temporary: list
    files: dict
    folders: dict
    networks: list
    # (address, port here, port there)
    doors: list
    needs: dict
    # Seconds; `test` is empty where there is nothing to ask.
    health: dict
    ready: str
    port: int
    restarts: bool
    stop_signal: str
    grace: float
    limits: dict
    shared_memory: str
    read_only: bool


def left_out(service):
    """Why a service is not started; None where it is."""
    if "three-brokers" in service.get("profiles", []):
        return "the broker that stands in is one"
    return images.LEFT_OUT.get(images.name(service["image"]))


def seconds(text):
    """`1m30s`, `5s`, as docker-compose writes them."""
    found = re.findall(r"(\d+)(ms|[hms])", str(text))
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1, "ms": 0.001}[unit] for number, unit in found)


def image_of(service):
    name = images.name(service["image"])
    if "build" in service:
        return images.ours(DEPLOY / "Dockerfile")
    if name not in images.STAND_INS:
        raise ValueError(f"nothing stands in for the image {name}, and nobody said that it is left out")
    return images.STAND_INS[name]


def settings_not_kept(config):
    """Settings that no process can be given as the file has them, because of what stands in for the one that it speaks with."""
    used = {images.name(service["image"]) for service in config["services"].values() if not left_out(service)}
    return {name: value for image in used & set(images.STAND_INS) for name, value in images.STAND_INS[image].settings.items()}


def environment(service, image, replaced):
    merged = image.environment | {name: "" if value is None else str(value).replace("$$", "$")
                                  for name, value in (service.get("environment") or {}).items()}
    for name in replaced.keys() & merged.keys():
        if replaced[name] is None:
            del merged[name]
        else:
            merged[name] = replaced[name]
    return merged


def mounts(config, service):
    """Secrets first: each a file of its own, which only its user reads."""
    for secret in service.get("secrets", []):
        secret = {"source": secret} if isinstance(secret, str) else secret
        yield config["secrets"][secret["source"]]["file"], f"/run/secrets/{secret.get('target', secret['source'])}", False
    for volume in service.get("volumes", []):
        source, target, *mode = volume.split(":")
        yield source, target, mode != ["ro"]


def health(service, image):
    merged = image.healthcheck | (service.get("healthcheck") or {})
    test = merged.get("test") or ["NONE"]
    if merged.get("disable") or test == ["NONE"] or image.ready:
        return {}
    if test[0] not in ("CMD", "CMD-SHELL"):
        raise ValueError(f"a health check is CMD or CMD-SHELL, not {test[0]}")
    return {"test": test[1:] if test[0] == "CMD" else ["/bin/sh", "-c", test[1]],
            "interval": seconds(merged.get("interval", "30s")), "timeout": seconds(merged.get("timeout", "30s")),
            "start_period": seconds(merged.get("start_period", "0s")), "retries": int(merged.get("retries", 3))}


def doors(service):
    for port in service.get("ports", []):
        address, here, there = re.fullmatch(r"(.+):(\d+):(\d+)(?:/tcp)?", port).groups()
        yield address, int(here), int(there)


def words(text):
    return [str(word).replace("$$", "$") for word in text or []]


def process(config, service_name, number=1, arguments=None):
    """A service's process; `arguments` stand for the command of the file, as with `docker-compose run`."""
    service = config["services"][service_name]
    unknown = service.keys() - KEPT - NOT_KEPT.keys() - PARTLY.keys()
    if unknown:
        raise ValueError(f"{service_name} has {', '.join(sorted(unknown))}, and nobody here knows what that means")
    image = image_of(service)
    # Another entry point makes the image's own command void.
    entrypoint = words(service.get("entrypoint")) or image.entrypoint
    command = words(service.get("command")) or ([] if service.get("entrypoint") else image.command)
    if image.ready:
        command = []
    user, group = map(int, service["user"].split(":"))
    return Process(
        name=f"{service_name}-{number}", service=service_name, root=image.root,
        arguments=entrypoint + (command if arguments is None else arguments),
        environment=environment(service, image, settings_not_kept(config)), folder=image.folder, user=(user, group),
        mounts=list(mounts(config, service)), temporary=[entry.partition(":")[::2] for entry in service.get("tmpfs", [])],
        files=image.files, folders=image.folders,
        networks=[] if service.get("network_mode") == "none" else list(service.get("networks") or ["default"]),
        doors=list(doors(service)),
        needs={name: need["condition"] for name, need in (service.get("depends_on") or {}).items()},
        health=health(service, image), ready=image.ready, port=image.port, restarts=service.get("restart") == "unless-stopped",
        stop_signal=service.get("stop_signal", image.stop_signal), grace=seconds(service.get("stop_grace_period", "10s")),
        limits=service.get("ulimits", {}), shared_memory=str(service.get("shm_size", "64m")), read_only=service.get("read_only", False))


def serving(config, scales=()):
    """What `up` starts, a process for each of a service's scale: no profile, and not left out."""
    scales = dict(scales)
    for name, service in config["services"].items():
        if not service.get("profiles") and not left_out(service):
            for number in range(1, int(scales.get(name, service.get("scale", 1))) + 1):
                yield process(config, name, number)


def differences(config):
    """Where what runs is not what the file says, a sentence each."""
    services = config["services"]
    stands_in = {}
    for name, service in services.items():
        if left_out(service):
            yield f"not started: {name} ({left_out(service)})"
        else:
            stands_in.setdefault(image_of(service).difference, []).append((name, service["image"]))
    for difference, used in stands_in.items():
        if difference:
            yield f"{', '.join(name for name, _ in used)}: instead of {used[0][1]}, {difference}"
    replaced = settings_not_kept(config)
    for name, value in sorted(replaced.items()):
        yield f"{name}: {'not set' if value is None else value}, since the broker that stands in speaks no TLS"
    for word, why in (NOT_KEPT | PARTLY).items():
        if any(word in service for service in services.values()):
            yield f"{word}: {'partly' if word in PARTLY else 'not'} kept to, {why}"
    yield "no seccomp profile and no masked paths of /proc: an engine has both"
    yield "no way out of any network: `edge` differs from `core` only by the doors to this machine's loopback"
