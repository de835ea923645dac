"""`forecastle job` and `forecastle demo`, as people and scripts call them."""
import json
import os
import subprocess

import pytest
from conftest import BIN, ROOT


def run(cluster, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": str(cluster.data), **cluster.env}
    return subprocess.run([BIN / "forecastle", *arguments], env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def demo(cluster):
    """What a run of the demo came to."""
    result = run(cluster, "demo", "--data", str(cluster.data), "--series", str(ROOT / "deploy" / "series"), "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_demo_runs_four_jobs_and_leaves_no_grant(demo):
    assert [job["kind"] for job in demo["jobs"]] == ["import", "train", "forecast", "backtest-export"]
    assert {job["state"] for job in demo["jobs"]} == {"succeeded"}
    assert demo["jobs"][0]["rows"] == 960
    grants = [grant for key in demo["keys"] for grant in key["grants"] if grant["name"].startswith("job/")]
    # import: output; train: input and output; forecast and export: input and output
    assert len(grants) == 7
    for grant in grants:
        assert grant["retiredAt"] >= grant["createdAt"]
        assert grant["uses"] and set(grant["uses"]) <= set(grant["operations"])


def test_demo_draws_every_chosen_item(demo):
    with open(demo["plot"]) as file:
        picture = file.read()
    assert picture.startswith("<svg ")
    for item in ("front_passengers", "rear_passengers", "drivers_killed"):
        assert item in picture


def test_demo_can_be_repeated_with_generated_series(cluster):
    result = run(cluster, "demo", "--data", str(cluster.data), "--series", "unused", "--generate", "3,56", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["jobs"][0]["rows"] == 3 * 56
    lines = (cluster.data / "generated.csv").read_text().splitlines()
    assert len(lines) == 3 * 56 and lines[0].startswith("item0,2015-01-01 00:00:00,")


def test_job_is_found_by_id_beginning_and_arn(cluster, demo):
    job = demo["jobs"][1]
    for name in (job["job"], job["job"][:12], job["resource"]):
        shown = json.loads(run(cluster, "job", "show", name, "--json").stdout)
        assert shown["job"] == job["job"]
        assert {grant["state"] for grant in shown["grantList"]} == {"retired"}
        assert [task["role"] for task in shown["taskList"]] == ["plan", "work", "commit"]
    text = run(cluster, "job", "show", job["job"]).stdout
    assert job["resource"] in text and "retired" in text


def test_job_list_filters(cluster, demo):
    listed = json.loads(run(cluster, "job", "list", "--kind", "train", "--state", "succeeded", "--json").stdout)
    assert demo["jobs"][1]["job"] in [job["job"] for job in listed]
    assert {job["kind"] for job in listed} == {"train"}
    assert len(json.loads(run(cluster, "job", "list", "--limit", "1", "--json").stdout)) == 1


def test_exit_codes_of_job(cluster, demo, customer, name):
    ended = demo["jobs"][0]
    assert run(cluster, "job", "watch", ended["job"]).returncode == 0
    assert run(cluster, "job", "stop", ended["job"]).returncode == 77
    assert run(cluster, "job", "show", "00000000-0000-4000-8000-000000000000").returncode == 66
    assert run(cluster, "job", "stop", ended["resource"] + "x").returncode == 66
    assert run(cluster, "job", "list", "--state", "unheard").returncode == 64
    assert run(cluster, "job", "list", "--jobs-postgres", "host=/nonexistent dbname=none").returncode == 69
    role = customer.role(f"Watch{name}")
    path = customer.put(f"{name}/bad.csv", "item_id,timestamp,target_value\n")
    failed = customer.import_("first", customer.dataset(name), path, role)
    watched = run(cluster, "job", "watch", failed)
    assert watched.returncode == 2
    assert "bad.csv" in watched.stdout
