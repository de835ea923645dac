"""Faults by hand on a running cluster, scenario files, and revocation under load; docs/chaos.md."""
import json
import os
import stat
import subprocess

import pytest
from conftest import BIN, ROOT, Cluster, wait_for

DATA = f"/var/tmp/forecastle-{os.getuid()}"


def chaos(*arguments, **options):
    return subprocess.run([BIN / "forecastle", "chaos", *arguments], capture_output=True, text=True, timeout=600, **options)


@pytest.fixture(scope="module")
def harmed():
    cluster = Cluster("hands", "--workers", "1", "--fault-proxies", "--fault-proxy", "store=127.0.0.1:9")
    try:
        yield cluster.start()
    finally:
        cluster.stop()


def status(cluster):
    result = chaos("status", "--data", cluster.data, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_control_socket_is_for_its_user_alone(harmed):
    assert stat.S_IMODE((harmed.data / "faults" / "control").stat().st_mode) == 0o600
    assert stat.S_IMODE((harmed.data / "faults").stat().st_mode) == 0o700


def test_a_proxy_is_harmed_and_healed(harmed):
    names = {proxy["name"] for proxy in status(harmed)["proxies"]}
    assert names == {"worker-postgres", "api-postgres", "authority-postgres", "worker-authority", "api-authority", "client-api",
                     "store"}
    forecast = harmed.client("forecast")
    assert "Datasets" in forecast.list_datasets()
    inject = chaos("inject", "proxy", "--data", harmed.data, "client-api", "--down")
    assert inject.returncode == 0, inject.stderr
    with pytest.raises(Exception):
        harmed.client("forecast", connect_timeout=2, read_timeout=2).list_datasets()
    assert [fault["name"] for fault in status(harmed)["injected"]] == ["client-api"]
    assert "client-api" in chaos("status", "--data", harmed.data).stdout
    assert chaos("heal", "--data", harmed.data).returncode == 0
    assert status(harmed)["injected"] == []
    assert "Datasets" in forecast.list_datasets()


def test_a_process_is_stopped_and_healed_and_killed(harmed):
    def worker():
        return next(p for p in status(harmed)["processes"] if p["name"] == "worker-1")

    before = worker()
    assert chaos("inject", "process", "--data", harmed.data, "worker-1", "stop").returncode == 0
    wait_for("the worker to stand still", lambda: worker()["state"] == "stopped")
    assert chaos("heal", "--data", harmed.data, "worker-1").returncode == 0
    wait_for("the worker to go on", lambda: worker()["state"] == "running")
    assert worker()["pid"] == before["pid"]
    assert chaos("inject", "process", "--data", harmed.data, "worker-1", "kill").returncode == 0
    wait_for("another worker", lambda: worker()["state"] == "running" and worker()["pid"] != before["pid"])


def test_points_are_set_and_gone_when_they_have_happened(harmed):
    assert chaos("inject", "points", "--data", harmed.data, "worker-1", "task.claimed=kill").returncode == 0
    assert status(harmed)["points"] == [{"worker": "worker-1", "points": "task.claimed=kill"}]
    assert stat.S_IMODE((harmed.data / "faults" / "worker-1.points").stat().st_mode) == 0o600
    pid = next(p["pid"] for p in status(harmed)["processes"] if p["name"] == "worker-1")
    scenario = ROOT / "config" / "scenarios" / "dying-workers.yaml"
    assert scenario.exists()
    # A job, so that the point is reached; afterwards it ends with another worker.
    one = harmed.data / "one.yaml"
    one.write_text("name: one\nload: {imports: 1}\nsteps:\n  - until: {succeeded: 1, within_s: 120}\n")
    result = chaos("run", one, "--data", harmed.data)
    assert result.returncode == 0, result.stdout + result.stderr
    assert next(p["pid"] for p in status(harmed)["processes"] if p["name"] == "worker-1") != pid
    assert status(harmed)["points"] == [] and status(harmed)["injected"] == []


@pytest.mark.parametrize("arguments, field", [
    (["proxy", "nowhere", "--down"], "nowhere"), (["proxy", "client-api"], "proxy"),
    (["proxy", "client-api", "--latency-ms", "-1"], "latency"), (["proxy", "client-api", "--ending", "explode"], "ending"),
    (["proxy", "client-api", "--latency-ms", "5", "--down"], "latency_ms"), (["process", "nobody", "kill"], "nobody"),
    (["process", "api", "tickle"], "action"), (["points", "worker-1", "no.such=kill"], "points"),
    (["points", "worker-9", "task.claimed=kill"], "worker-9"), (["broker", "dance"], "broker"),
])
def test_what_is_not_known_is_refused_by_its_name(harmed, arguments, field):
    result = chaos("inject", arguments[0], "--data", harmed.data, *arguments[1:])
    assert result.returncode in (1, 64) and field in result.stderr, result.stderr
    assert status(harmed)["injected"] == []


def test_a_cluster_without_proxies_takes_no_orders(cluster):
    result = chaos("heal", "--data", cluster.data)
    assert result.returncode == 1 and "--fault-proxies" in result.stderr


@pytest.mark.parametrize("name", ["slow-database", "authority-away", "dying-workers"])
def test_the_examples_can_be_read(name):
    result = chaos("run", "--check", ROOT / "config" / "scenarios" / f"{name}.yaml")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("text, said", [
    ("name: a\nsteps:\n  - wait_s: 1\nload: {importz: 1}\n", ":4: load.importz"),
    ("name: a\nsteps:\n  - inject: {proxy: x}\n", ":3: steps[1].inject.proxy"),
    ("name: a\nsteps:\n  - wait_s: 1\n  - inject:\n      proxy: x\n      latency_ms: soon\n", ":6: steps[2].inject.latency_ms"),
    ("name: a\nsteps:\n  - wait_s: 1\n    heal: all\n", ":3: steps[1]"),
    ("name: a\nsteps: []\n", ":2: steps"), ("name: a\n", "steps"), ("steps:\n  - wait_s: 1\n", "name"),
    ("name: a\nsteps:\n  - until: {within_s: 3}\n", ":3: steps[1].until.succeeded"),
    ("name: a\nexpect: {imports: perhaps}\nsteps:\n  - wait_s: 1\n", ":2: expect.imports"),
    ("name: a\nsteps: [\n", "YAML"), ("", "is empty"), ("- a\n", "must be a map"),
    ("name: a\nseed: -3\nsteps:\n  - wait_s: 1\n", ":2: seed"),
])
def test_what_is_wrong_with_a_file_is_told_with_its_line(tmp_path, text, said):
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    result = chaos("run", "--check", file)
    assert result.returncode == 64 and said in result.stderr, result.stderr


def test_revocation_under_load(tmp_path):
    report, chart = tmp_path / "revoke.json", tmp_path / "revoke.svg"
    result = chaos("revoke", "--seconds", "6", "--keys", "2", "--jobs", "2", "--accounts", "2", "--workers", "1", "--mebibytes", "2",
                   "--seed", "4", "--data", DATA, "--json", report, "--chart", chart)
    found = json.loads(report.read_text())
    # Six seconds may meet no key in use, and say nothing of percentiles on a busy machine: what must not be is looked at.
    assert found["acts"] and not [act for act in found["acts"] if act["violations"]], result.stdout + result.stderr
    assert found["jobs"] >= 2 and found["traceLines"] > 0
    assert result.returncode == (0 if found["holds"] else 1)
    assert chart.read_text().startswith("<svg")
    if not found["holds"]:
        # Only a failed run keeps its folder.
        kept = next(line.split()[1] for line in result.stdout.splitlines() if line.startswith("kept"))
        subprocess.run(["rm", "-rf", kept], check=True)


def test_revocation_on_a_running_cluster(tmp_path):
    """Over TLS, on customers that the cluster had before; what could do everything there is gone afterwards."""
    report, trace = tmp_path / "revoke.json", tmp_path / "frames.jsonl"
    owners = "--buckets-owners=revoke-0=123456789012,revoke-1=210000000001"
    cluster = Cluster("revoked", "--workers", "1", f"--faults-frame-trace={trace}", owners)
    try:
        cluster.start()
        target = ["--target", cluster.data / "forecastle.yaml", owners, "--keys", "2", "--jobs", "2", "--mebibytes", "2", "--seed", "4"]
        result = chaos("revoke", *target, f"--faults-frame-trace={trace}", "--seconds", "8", "--json", report,
                       env={**os.environ, **cluster.env})
        found = json.loads(report.read_text())
        # As above: few acts on a busy machine.
        assert found["acts"] and not [act for act in found["acts"] if act["violations"]], result.stdout + result.stderr
        assert found["accounts"] == 2 and found["jobs"] >= 2 and found["traceLines"] > 0
        assert result.returncode == (0 if found["holds"] else 1)
        keys = cluster.sql("authority", "SELECT count(*) FROM access_keys k JOIN users u USING (user_id) WHERE u.name LIKE 'revoke-%'")
        assert keys == ["0"]
        # Another trace than the workers': nothing would be seen, and nothing is claimed.
        blind = chaos("revoke", *target, f"--faults-frame-trace={tmp_path}/other.jsonl", "--seconds", "1",
                      env={**os.environ, **cluster.env})
        assert blind.returncode == 1 and "the same --faults-frame-trace" in blind.stdout, blind.stdout + blind.stderr
    finally:
        cluster.stop()


@pytest.mark.parametrize("arguments", [["--target", "/no/such/file"], ["--keys", "0"], ["--jobs", "1", "--keys", "2"], ["--seconds", "0"], ["--workers", "0"]])
def test_revocation_refuses_wrong_use(arguments):
    assert chaos("revoke", *arguments).returncode == 64
