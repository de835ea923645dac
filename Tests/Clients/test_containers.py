"""The files of the container cluster (docs/cluster.md) against what the program knows: each setting, each path, each secret."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import BIN, ROOT

DEPLOY = ROOT / "deploy"
sys.path.insert(0, str(DEPLOY / "processes"))
import images  # noqa: E402
import plan  # noqa: E402

FILES = {"compose.yaml": [], "compose.local.yaml": ["--local-layers"]}
# Read by the program, and no setting: where the settings are.
VARIABLES = {"FORECASTLE_CONFIG"}
# What the program is started as, by the first word of a service's command.
ROLES = {"api", "authority", "worker", "admin", "migrate"}


def cluster(file, *arguments):
    """What deploy/cluster prints for a cluster that is not there yet."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("FORECASTLE_", "CLUSTER_", "COMPOSE_", "KAFKA_"))}
    result = subprocess.run([DEPLOY / "cluster", *FILES[file], "--data", "/nowhere/cluster", *arguments],
                            capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def compose(file, *flags):
    """The file as docker-compose reads it: merged, with the variables that deploy/cluster gives it."""
    given = dict(line.split("=", 1) for line in cluster(file, "variables", *flags).splitlines())
    given["FORECASTLE_CLUSTER"] = "/cluster"

    def value(match):
        if match.group(0) == "$$":
            return "$"
        name, operator, other = match.group(1, 2, 3)
        found = given.get(name)
        if operator in (":-", ":?") and not found or operator == "-" and found is None:
            assert operator != ":?", f"{name}: {other}"
            return other
        return found or ""

    def interpolated(node):
        if isinstance(node, dict):
            return {name: interpolated(child) for name, child in node.items()}
        if isinstance(node, list):
            return [interpolated(child) for child in node]
        return re.sub(r"\$\$|\$\{(\w+)(?:(:-|-|:\?)([^}]*))?\}", value, node) if isinstance(node, str) else node

    return interpolated(yaml.safe_load((DEPLOY / file).read_text()))


def flatten(node, path=""):
    if isinstance(node, dict):
        for name, child in node.items():
            yield from flatten(child, f"{path}.{name}" if path else name)
    else:
        yield path


@pytest.fixture(scope="module")
def settings():
    """Names of all settings, as the program itself lists them."""
    text = subprocess.run([BIN / "forecastle", "doctor", "--defaults"], capture_output=True, text=True, check=True).stdout
    names = set(flatten(yaml.safe_load(text)))
    assert len(names) > 100
    return names


def environment_name(setting):
    return "FORECASTLE_" + setting.upper().replace(".", "_")


def services(file, *flags):
    return compose(file, *flags)["services"].items()


def mounted(service):
    """Where a service has its secrets, and its volumes."""
    found = {str(Path("/run/secrets") / (secret if isinstance(secret, str) else secret.get("target", secret["source"])))
             for secret in service.get("secrets", [])}
    return found, {volume.split(":")[1] for volume in service.get("volumes", [])}


def said(service):
    """Everything in a service in which a path may be."""
    words = list((service.get("environment") or {}).values())
    for part in (service.get("command"), service.get("entrypoint"), (service.get("healthcheck") or {}).get("test")):
        words += part or []
    return " ".join(map(str, words))


@pytest.mark.parametrize("file", FILES)
def test_every_variable_of_a_container_is_a_setting(file, settings):
    known = {environment_name(setting) for setting in settings} | VARIABLES
    given = {name: variable for name, service in services(file, "--s3") for variable in service.get("environment") or {}
             if variable.startswith("FORECASTLE_") and variable not in known}
    assert not given, "no settings of Forecastle's"
    assert sum(len(service.get("environment") or {}) for _, service in services(file)) > 60


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("flags", [(), ("--s3",)], ids=["volumes", "s3"])
def test_the_settings_of_each_container_can_be_meant_together(file, flags, tmp_path):
    tried = 0
    for name, service in services(file, *flags):
        if not ROLES & set(map(str, service.get("command") or [])):
            continue
        environment = {key: str(value) for key, value in service.get("environment", {}).items()}
        # Nobody is there to be asked, and that is no matter here.
        environment |= {"FORECASTLE_POSTGRES_ACQUIRE_TIMEOUT_MS": "100", "PATH": os.environ["PATH"]}
        result = subprocess.run([BIN / "forecastle", "doctor"], env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert result.stderr == "" and "problems\n" in result.stdout, f"{name}: {result.stderr}"
        tried += 1
    assert tried >= 9


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("flags", [(), ("--s3",)], ids=["volumes", "s3"])
def test_the_operators_settings_are_known_and_can_be_meant(file, flags, settings, tmp_path):
    path = tmp_path / "forecastle.yaml"
    path.write_text(cluster(file, "settings", *flags))
    assert set(flatten(yaml.safe_load(path.read_text()))) <= settings
    result = subprocess.run(
        [BIN / "forecastle", "doctor", "--config", path, "--postgres-acquire-timeout-ms", "100"], capture_output=True, text=True)
    assert result.stderr == "" and "problems\n" in result.stdout, result.stderr
    secrets, volumes = mounted(compose(file)["services"]["operator"])
    assert set(re.findall(r"/run/secrets/[\w.-]+", path.read_text())) <= secrets
    for place in re.findall(r'"(/var/lib/[^"]+)"', path.read_text()):
        assert any(place == volume or place.startswith(volume + "/") for volume in volumes), place


@pytest.mark.parametrize("file", FILES)
def test_what_is_mounted_is_there(file):
    whole = compose(file, "--s3")
    script = (DEPLOY / "cluster").read_text()
    for name, service in whole["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), f"{name} mounts {source}"
            elif source.startswith("/cluster/"):
                assert f"$data/{source.removeprefix('/cluster/')}" in script, f"{name} mounts {source}"
            else:
                assert source in whole["volumes"], f"{name} mounts {source}"
        for path in service.get("env_file", []):
            assert f"$data/{path.removeprefix('/cluster/')}" in script, path
    unused = set(whole["volumes"]) - {volume.split(":")[0] for _, service in whole["services"].items()
                                      for volume in service.get("volumes", [])}
    assert not unused


@pytest.mark.parametrize("file", FILES)
def test_secrets_are_declared_used_and_mounted_where_they_are_read(file):
    whole = compose(file, "--s3")
    used = set()
    for name, service in whole["services"].items():
        secrets, _ = mounted(service)
        used |= {secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", [])}
        # It shares the authority's settings, and serves nothing.
        serving = {"/run/secrets/certificate.pem", "/run/secrets/certificate.key", "/run/secrets/audit.key",
                   "/run/secrets/audit.pub"} if name == "bootstrap" else set()
        read = {path for path in re.findall(r"/run/secrets/[\w./-]+", said(service))} - serving
        # A folder is there where something in it is.
        missing = {path for path in read if not any(one == path or one.startswith(path + "/") for one in secrets)}
        assert not missing, f"{name} reads what is not mounted"
    assert used == set(whole["secrets"])
    for name, secret in whole["secrets"].items():
        if secret["file"].startswith("."):
            assert (DEPLOY / secret["file"]).exists(), name


def test_the_folder_of_certificates_holds_nothing_but_certificates_and_their_keys():
    """`certificates renew` reads every .pem there as its own user; a key store that belongs to Kafka stopped it."""
    for name, secret in compose("compose.yaml", "--brokers", "3")["secrets"].items():
        folder, _, file = secret["file"].removeprefix("/cluster/").partition("/")
        if folder == "certificates":
            assert re.fullmatch(r"(ca|authority|api|worker|postgres|s3)\.(pem|key)", file), name
    assert '"$at/kafka-$number.keystore.pem"' not in (DEPLOY / "cluster").read_text()


def test_every_service_is_started_as_a_process_or_named_as_left_out():
    whole = compose("compose.yaml")
    told = "\n".join(plan.differences(whole))
    replaced = plan.settings_not_kept(whole)
    assert {"kafka-2", "kafka-3", "s3", "s3-buckets", "grafana"} == {
        name for name, service in whole["services"].items() if plan.left_out(service)}
    for name, service in whole["services"].items():
        if plan.left_out(service):
            assert f"not started: {name} (" in told
            continue
        process = plan.process(whole, name)
        secrets, volumes = mounted(service)
        assert {target for _, target, _ in process.mounts} == secrets | volumes
        assert f"{process.user[0]}:{process.user[1]}" == service["user"]
        for variable, value in (service.get("environment") or {}).items():
            assert process.environment.get(variable) == replaced.get(variable, str(value)), f"{name}: {variable}"
        stands_in = images.STAND_INS.get(images.name(service["image"]))
        if stands_in:
            assert f"{name}: instead of {service['image']}, " in told
        if not (stands_in and stands_in.ready):
            assert process.arguments[-len(service.get("command") or []):] == (service.get("command") or process.arguments)
            assert bool(process.health) == (not (service.get("healthcheck") or {}).get("disable", False))
    assert all(f"{variable}: " in told for variable in replaced) and len(replaced) == 4


def test_a_service_has_a_process_for_each_of_its_scale():
    whole = compose("compose.yaml")
    names = [process.name for process in plan.serving(whole, {"worker-train": "3"})]
    assert {"api-1", "api-2", "authority-1", "authority-2", "worker-train-3", "worker-import-1", "proxy-1"} <= set(names)
    assert len(names) == len(set(names)) == 14


def test_our_image_is_read_from_the_dockerfile():
    process = plan.process(compose("compose.yaml"), "api")
    assert process.arguments == ["/usr/bin/forecastle", "api"]
    assert process.environment["FORECASTLE_MIGRATIONS_DIRECTORY"] == "/usr/share/forecastle/migrations"
    assert process.health == {"test": ["/usr/bin/forecastle", "health", "http://127.0.0.1:9100/readyz"],
                              "interval": 5, "timeout": 4, "start_period": 20, "retries": 6}
    assert (process.folder, process.stop_signal, process.grace) == ("/var/lib/forecastle", "SIGTERM", 30)


@pytest.mark.parametrize("change", [{"privileged": True}, {"image": "nobody/knows:1"}])
def test_what_nobody_here_knows_is_refused(change):
    whole = compose("compose.yaml")
    whole["services"]["proxy"] |= change
    with pytest.raises(ValueError):
        plan.process(whole, "proxy")


def test_the_image_is_made_of_what_is_committed():
    copied = [source for line in (DEPLOY / "Dockerfile").read_text().splitlines()
              if line.startswith("COPY ") and "--from" not in line for source in line.split()[1:-1]]
    assert len(copied) >= 6
    # In brackets: taken where it is there.
    for source in (source for source in copied if "[" not in source):
        assert (ROOT / source).exists(), source
        ignored = subprocess.run(["git", "check-ignore", "-q", source], cwd=ROOT, capture_output=True)
        # 128: no repository, as in an archive of it.
        assert ignored.returncode in (1, 128), f"{source} is in no clone"


def test_prometheus_finds_every_process():
    scrape = yaml.safe_load((DEPLOY / "cluster-files" / "prometheus.yml").read_text())["scrape_configs"][0]
    (found,) = scrape["dns_sd_configs"]
    processes = {name: service for name, service in services("compose.yaml")
                 if {"api", "authority", "worker"} & set(service.get("command") or [])}
    assert set(found["names"]) == set(processes)
    assert {str(service["environment"]["FORECASTLE_DIALS_PORT"]) for service in processes.values()} == {str(found["port"])}

    scrape = yaml.safe_load((DEPLOY / "cluster-files" / "prometheus.local.yml").read_text())["scrape_configs"][0]
    listed = {entry["labels"]["process"]: (entry["targets"], entry["labels"]["role"]) for entry in scrape["static_configs"]}
    assert listed == {
        name: ([f"127.0.0.1:{service['environment']['FORECASTLE_DIALS_PORT']}"], service["command"][0])
        for name, service in services("compose.local.yaml") if {"api", "authority", "worker"} & set(service.get("command") or [])}


def test_grafana_is_given_the_dashboards_and_what_they_ask():
    grafana = dict(services("compose.yaml"))["grafana"]
    volumes = {volume.split(":")[0]: volume.split(":")[1] for volume in grafana["volumes"]}
    provisioning = DEPLOY / "cluster-files" / "grafana"
    assert volumes["./cluster-files/grafana"] == grafana["environment"]["GF_PATHS_PROVISIONING"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "forecastle.yaml").read_text())["providers"]
    assert provider["options"]["path"] == volumes["./dashboards"]
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    dashboards = [yaml.safe_load(path.read_text()) for path in (DEPLOY / "dashboards").glob("*.json")]
    assert dashboards and source["isDefault"]
    for dashboard in dashboards:
        variables = {entry["name"]: entry for entry in dashboard["templating"]["list"]}
        for panel in dashboard["panels"]:
            assert panel["datasource"] == {"type": source["type"], "uid": "${datasource}"}
        assert variables["datasource"]["query"] == source["type"]
