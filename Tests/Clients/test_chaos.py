"""The quick cases of the fault matrix, each by the command that people run; docs/chaos.md has the table."""
import json
import os
import subprocess
import xml.etree.ElementTree

import pytest
from conftest import BIN, ROOT

SEED = os.environ.get("FORECASTLE_CHAOS_SEED", "1")
DATA = f"/var/tmp/forecastle-{os.getuid()}"


def cases():
    """What `chaos list` calls quick."""
    result = subprocess.run([BIN / "forecastle", "chaos", "list", "--markdown"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines()[2:]]
    return [(int(row[0]), row[1]) for row in rows if row[4] == "yes"]


CASES = cases() if (BIN / "forecastle").exists() else []


@pytest.mark.parametrize("number", [number for number, _ in CASES], ids=[f"{n}-{t.replace(' ', '_')}" for n, t in CASES])
def test_case(number, tmp_path):
    report = tmp_path / "chaos.json"
    result = subprocess.run(
        [BIN / "forecastle", "chaos", "--case", str(number), "--seed", SEED, "--data", DATA, "--json", report],
        capture_output=True, text=True, timeout=1200)
    [outcome] = json.loads(report.read_text())
    if outcome["verdict"] == "skipped":
        pytest.skip(outcome["reason"])
    assert result.returncode == 0 and outcome["verdict"] == "passed", result.stdout + result.stderr
    # A case that injected nothing, or checked nothing, has shown nothing.
    assert outcome["injected"] and outcome["verification"]["holds"]
    assert {i["name"] for i in outcome["verification"]["invariants"]} == {f"I{n}" for n in range(1, 9)}


def test_there_are_quick_cases():
    assert len(CASES) >= 10


def test_the_page_has_the_table_of_the_program():
    result = subprocess.run([BIN / "forecastle", "chaos", "list", "--markdown"], capture_output=True, text=True, check=True)
    assert result.stdout.strip() in (ROOT / "docs" / "chaos.md").read_text()


def test_every_case_of_the_matrix_is_there():
    result = subprocess.run([BIN / "forecastle", "chaos", "list", "--markdown"], capture_output=True, text=True, check=True)
    assert [int(line.strip("| ").split(" ")[0]) for line in result.stdout.splitlines()[2:]] == list(range(1, 55))


def test_a_running_cluster(cluster, tmp_path):
    """What needs no processes of its own is done to the cluster that runs, under both seeds; the rest says why it was not."""
    report, junit = tmp_path / "chaos.json", tmp_path / "chaos.xml"
    result = subprocess.run(
        [BIN / "forecastle", "chaos", "--case", "15,46", "--seeds", "1,2", "--target", cluster.data / "forecastle.yaml",
         "--data", DATA, "--json", report, "--junit", junit],
        env={**os.environ, **cluster.env, "FORECASTLE_REVISION": "as tested"}, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    outcomes = json.loads(report.read_text())
    assert [(o["case"], o["seed"], o["verdict"]) for o in outcomes] == [
        (15, "1", "skipped"), (46, "1", "passed"), (15, "2", "skipped"), (46, "2", "passed")]
    assert {o["revision"] for o in outcomes} == {"as tested"}
    assert "--target embedded" in outcomes[0]["reason"] and outcomes[1]["verification"]["holds"]
    suite = xml.etree.ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "0", "2")


@pytest.mark.parametrize("arguments", [["--case", "9999"], ["--case", "x"], ["--case", ""], ["--case", "1", "--repeat", "0"],
    ["--case", "1", "--seeds", "1,x"], ["--case", "1", "--seed", "1", "--seeds", "2"], ["--case", "1", "--target", "/no/such/file"]])
def test_wrong_use_is_refused(arguments):
    result = subprocess.run([BIN / "forecastle", "chaos", *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 64, result.stdout + result.stderr


def test_verify_on_a_live_cluster(cluster, customer, name, tmp_path):
    role = customer.role(f"Verified{name}")
    key = customer.key(role)
    dataset = customer.dataset(name, key, role)
    canary = f"canary{name}"
    rows = "".join(f"{canary},2020-{month:02d}-01 00:00:00,{month}\n" for month in range(1, 13))
    arn = customer.import_("job", dataset, customer.put(f"{name}.csv", rows), role)
    assert customer.wait(arn)["Status"] == "ACTIVE"
    acked = tmp_path / "acked.jsonl"
    acked.write_text(json.dumps({"arn": arn, "time": "2020-01-01T00:00:00Z"}) + "\n")
    errors = tmp_path / "errors.jsonl"
    errors.write_text(json.dumps({"operation": "CreateDataset", "code": "LimitExceededException", "status": 400}) + "\n")
    good = cluster.tool("verify", "--acked", str(acked), "--client-errors", str(errors), "--canary", canary, "--json")
    report = json.loads(good.stdout)
    assert report["holds"], report
    by_name = {invariant["name"]: invariant for invariant in report["invariants"]}
    assert by_name["I1"]["checked"]["accepted jobs"] == 1
    for number, what in [("I2", "published objects"), ("I4", "ended jobs"), ("I5", "published chunks"), ("I6", "files"),
                         ("I7", "processes"), ("I8", "errors of clients")]:
        assert by_name[number]["checked"][what] > 0, (number, by_name[number])
    # And what is wrong is found: a job that never was, a canary in a log, an error that no table has.
    acked.write_text(json.dumps({"arn": arn + "x"}) + "\n")
    errors.write_text(json.dumps({"operation": "CreateDataset", "code": "Oops", "status": 500}) + "\n")
    planted = cluster.data / "logs" / f"{name}.log"
    planted.write_text(f"a line with {canary} in it")
    try:
        bad = cluster.tool("verify", "--acked", str(acked), "--client-errors", str(errors), "--canary", canary, "--json",
                           check=False)
    finally:
        planted.unlink()
    assert bad.returncode == 1
    assert {i["name"] for i in json.loads(bad.stdout)["invariants"] if not i["holds"]} == {"I1", "I6", "I8"}


def test_verify_finds_a_published_object_that_was_altered_or_is_gone(cluster, customer, name):
    role = customer.role(f"Altered{name}")
    key = customer.key(role)
    dataset = customer.dataset(name, key, role)
    arn = customer.import_("job", dataset, customer.put(f"{name}.csv", "a,2020-01-01 00:00:00,1\n"), role)
    assert customer.wait(arn)["Status"] == "ACTIVE"
    [first, *_] = cluster.sql(
        "jobs", "SELECT o.name FROM job_object o JOIN job j ON j.id = o.job "
        f"WHERE j.resource = '{arn}' AND o.state = 'published' ORDER BY o.name")
    path = cluster.data / "artifacts" / first
    genuine = path.read_bytes()
    path.chmod(0o600)
    try:
        for damage in (genuine[:-1] + bytes([genuine[-1] ^ 1]), genuine[:-1], None):
            path.unlink() if damage is None else path.write_bytes(damage)
            bad = cluster.tool("verify", "--json", check=False)
            assert bad.returncode == 1
            broken = [i for i in json.loads(bad.stdout)["invariants"] if not i["holds"]]
            assert [i["name"] for i in broken] == ["I2"] and first in broken[0]["found"][0]
    finally:
        path.write_bytes(genuine)
    assert cluster.tool("verify").returncode == 0
