"""What stands in for each image of compose.yaml where no registry is reached: ours as its Dockerfile has it, others as Debian has them."""
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass
class Image:
    """What an image brings along beside its files; `root` is the folder that deploy/cluster made of them."""
    root: str
    # How it differs from the image that the file names; empty: it is that image, but for how it is packed.
    difference: str = ""
    entrypoint: list = field(default_factory=list)
    command: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    folder: str = "/"
    stop_signal: str = "SIGTERM"
    healthcheck: dict = field(default_factory=dict)
    # A volume takes over owner and mode of the folder that it is mounted on: {path: (uid, gid, mode)}.
    folders: dict = field(default_factory=dict)
    # Text of files that the stand-in lacks or has otherwise.
    files: dict = field(default_factory=dict)
    # Services' settings that cannot be kept to with the stand-in, here or in what speaks with it; None takes one away.
    settings: dict = field(default_factory=dict)
    # The file's own health check is of a program that is not there: the process is well once this file is.
    ready: str = ""
    # Port of the service's name that leads to the address in that file; 0: none.
    port: int = 0


PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

STAND_INS = {
    "postgres": Image(
        root="postgres",
        difference="Debian's PostgreSQL 15 with deploy/processes/postgres-entrypoint, which does what the image's entry point does; "
                   "locale C.UTF-8, not en_US.utf8",
        entrypoint=["docker-entrypoint.sh"],
        command=["postgres"],
        environment={"PATH": f"{PATH}:/usr/lib/postgresql/15/bin", "LANG": "C.UTF-8", "PGDATA": "/var/lib/postgresql/data"},
        stop_signal="SIGINT",
        folders={"/var/lib/postgresql/data": (999, 999, 0o1777)},
        # The image's user is 999, Debian's is not; initdb and the peer rule of pg_hba.conf ask for its name.
        files={"/etc/passwd": "root:x:0:0:root:/root:/bin/bash\npostgres:x:999:999::/var/lib/postgresql:/bin/bash\n",
               "/etc/group": "root:x:0:\npostgres:x:999:\n",
               "/usr/local/bin/docker-entrypoint.sh": (HERE / "postgres-entrypoint").read_text()}),
    "apache/kafka": Image(
        root="forecastle-broker",
        difference="forecastle-broker (librdkafka's mock cluster, in memory) listens on its own loopback; doors lead to it from "
                   "kafka-1:9092 and from each process's loopback. None of Kafka's own settings, TLS or health check is tried",
        entrypoint=["/usr/bin/forecastle-broker", "--data", "/var/lib/kafka/data"],
        folders={"/var/lib/kafka/data": (1000, 1000, 0o700)},
        # The one hop without TLS: the mock cluster speaks none.
        settings={"FORECASTLE_KAFKA_SECURITY_PROTOCOL": "plaintext", "FORECASTLE_KAFKA_CA_FILE": None,
                  "FORECASTLE_KAFKA_CERTIFICATE_FILE": None, "FORECASTLE_KAFKA_KEY_FILE": None},
        ready="/var/lib/kafka/data/broker.address",
        port=9092),
    "nginx": Image(
        root="nginx",
        # proxy.conf asks names again (`resolve`), which nginx has from 1.27.3 on; Debian 12 has 1.22.
        difference="nginx as Debian's testing has it, with `stream` as a module",
        environment={"PATH": PATH},
        stop_signal="SIGQUIT"),
    "prom/prometheus": Image(
        root="prometheus",
        difference="Debian's Prometheus 2.42",
        entrypoint=["/bin/prometheus"],
        environment={"PATH": PATH},
        folder="/prometheus",
        folders={"/prometheus": (65534, 65534, 0o755)}),
}

LEFT_OUT = {
    "grafana/grafana": "Debian has no Grafana",
    "minio/minio": "Debian has no MinIO; it is there for --s3 alone",
}


def name(reference):
    """An image's name without registry tag: `apache/kafka` of `apache/kafka:3.9.0`."""
    return reference.split("@")[0].rsplit(":", 1)[0] if ":" in reference.rsplit("/", 1)[-1] else reference


def ours(dockerfile):
    """The last stage of our own Dockerfile: the files are what `assemble` makes of the executable, everything else is read here."""
    image = Image(root="forecastle", environment={"PATH": PATH})
    lines = dockerfile.read_text().replace("\\\n", " ").splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    for line in lines[last + 1:]:
        word, _, rest = line.partition(" ")
        if word == "ENV":
            image.environment |= dict(part.split("=", 1) for part in shlex.split(rest))
        elif word == "WORKDIR":
            image.folder = rest
        elif word == "STOPSIGNAL":
            image.stop_signal = rest
        elif word == "ENTRYPOINT":
            image.entrypoint = json.loads(rest)
        elif word == "CMD":
            image.command = json.loads(rest)
        elif word == "HEALTHCHECK":
            options, _, test = rest.partition("CMD ")
            named = (part.removeprefix("--").split("=") for part in options.split())
            image.healthcheck = {key.replace("-", "_"): value for key, value in named} | {"test": ["CMD", *json.loads(test)]}
        elif word and not word.startswith(("#", "COPY", "USER")):
            raise ValueError(f"{dockerfile.name}: nobody here knows what {word} means")
    return image
