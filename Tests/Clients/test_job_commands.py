"""`forecastle job` and `forecastle demo`, as people and scripts call them."""
import contextlib
import json
import os
import signal
import subprocess

import pytest
from conftest import BIN, ROOT, monthly_csv


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


UNKNOWN = "00000000-0000-4000-8000-000000000000"
COMMANDS = {"retry": (), "priority": ("1",)}


@pytest.fixture
def failed(cluster, customer, name):
    """An import that failed by its file, and what mends it: its job's id, its ARN, its dataset, a call that mends the file."""
    role = customer.role(f"Steer{name}")
    dataset = customer.dataset(name)
    path = customer.put(f"{name}/history.csv", "item_id,timestamp,target_value\n")
    arn = customer.import_("first", dataset, path, role)
    assert customer.wait(arn)["Status"] == "CREATE_FAILED"
    job = json.loads(run(cluster, "job", "show", arn, "--json").stdout)["job"]
    return job, arn, dataset, lambda: customer.put(f"{name}/history.csv", monthly_csv())


def bury(cluster, job, reason="workers-lost"):
    """The dead letter of a failed job as the engine leaves one when it is no customer's mistake."""
    cluster.sql("jobs", f"""
        INSERT INTO job_dead_letter (job, epoch, kind, account, resource, reason, message, role, ordinal, attempts, losses,
                                     failures, worker, last_error)
        SELECT id, epoch, kind, account, resource, '{reason}', message, 'work', 0, 5, 5, 0, 'worker-1', 'killed'
        FROM job WHERE id = '{job}'""")


@contextlib.contextmanager
def nobody_at_work(cluster):
    """Workers that stand still: what is accepted stays where it is."""
    workers = cluster.processes("worker")
    assert workers
    try:
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


def lines(result):
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def letters(cluster, job, *flags):
    return [letter for letter in lines(run(cluster, "job", "dead", "--json", "--limit", "1000", *flags))
            if letter["job"] == job]


def test_retry_runs_the_same_job_again(cluster, customer, failed):
    job, arn, _, mend = failed
    mend()
    assert lines(run(cluster, "job", "retry", arn, "--json")) == {"retrying": job}
    assert customer.wait(arn)["Status"] == "ACTIVE"
    shown = lines(run(cluster, "job", "show", arn, "--json"))
    assert shown["job"] == job and shown["state"] == "succeeded"
    assert {grant["state"] for grant in shown["grantList"]} == {"retired"}
    again = run(cluster, "job", "retry", job)
    assert again.returncode == 77 and "succeeded" in again.stderr and again.stdout == ""


def test_retry_says_what_it_does(cluster, customer, failed):
    job, arn, _, mend = failed
    mend()
    assert run(cluster, "job", "retry", job[:13]).stdout == f"retrying {job}\n"
    assert customer.wait(arn)["Status"] == "ACTIVE"


def test_retry_of_what_was_deleted_is_refused(cluster, customer, failed):
    job, arn, dataset, _ = failed
    customer.forecast.delete_dataset_import_job(DatasetImportJobArn=arn)
    refused = run(cluster, "job", "retry", job, "--json")
    assert refused.returncode == 77 and "was deleted" in refused.stderr and refused.stdout == ""
    # A namesake is another resource, which this job may not touch.
    again = customer.import_("first", dataset, f"s3://{customer.bucket}/none.csv", customer.role(f"Again{job[:8]}"))
    assert again == arn and customer.wait(arn)["Status"] == "CREATE_FAILED"
    assert run(cluster, "job", "retry", job).returncode == 77
    assert customer.wait(arn)["Status"] == "CREATE_FAILED"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_job_that_is_not_there_is_said(cluster, demo, command):
    ended = demo["jobs"][0]
    for wrong in (UNKNOWN, "beef-", ended["resource"] + "x", ended["job"][:3], "arn:", "'; DROP TABLE job; --"):
        result = run(cluster, "job", command, wrong, *COMMANDS[command], "--json")
        assert result.returncode == 66, (wrong, result.stderr)
        assert "no job" in result.stderr and result.stdout == ""
    assert run(cluster, "job", command).returncode == 64
    away = run(cluster, "job", command, ended["job"], *COMMANDS[command], "--jobs-postgres", "host=/nonexistent dbname=none")
    assert away.returncode == 69


def test_priority_of_a_waiting_job_and_of_its_tasks(cluster, customer, name):
    role = customer.role(f"Urgent{name}")
    path = customer.put(f"{name}/history.csv", monthly_csv())
    dataset = customer.dataset(name)
    with nobody_at_work(cluster):
        arn = customer.import_("first", dataset, path, role)
        job = lines(run(cluster, "job", "show", arn, "--json"))["job"]
        assert lines(run(cluster, "job", "priority", arn, "2", "--json")) == {"job": job, "priority": 2}
        rows = f"SELECT j.priority, t.priority FROM job AS j JOIN job_task AS t ON t.job = j.id WHERE j.id = '{job}'"
        assert cluster.sql("jobs", rows) == ["2|2"]
        assert run(cluster, "job", "priority", job, "9").stdout == f"priority 9 for {job}\n"
        assert cluster.sql("jobs", rows) == ["9|9"]
        for wrong in ("0", "10", "-1", "high", ""):
            assert run(cluster, "job", "priority", job, wrong).returncode == 64, wrong
        assert cluster.sql("jobs", rows) == ["9|9"]
    assert customer.wait(arn)["Status"] == "ACTIVE"
    ended = run(cluster, "job", "priority", job, "1", "--json")
    assert ended.returncode == 77 and "has ended" in ended.stderr and ended.stdout == ""
    assert cluster.sql("jobs", f"SELECT priority FROM job WHERE id = '{job}'") == ["9"]


def test_dead_jobs_are_listed_and_driven_again(cluster, customer, failed):
    job, arn, _, mend = failed
    # A customer's mistake leaves none.
    assert letters(cluster, job) == []
    bury(cluster, job)
    [letter] = letters(cluster, job)
    assert letter["resource"] == arn and letter["kind"] == "import" and letter["reason"] == "workers-lost"
    assert (letter["losses"], letter["worker"], letter["redrivenAt"]) == (5, "worker-1", None)
    assert letters(cluster, job, "--kind", "import", "--reason", "workers-lost") == [letter]
    assert letters(cluster, job, "--kind", "train") == [] == letters(cluster, job, "--reason", "retries-exhausted")
    text = run(cluster, "job", "dead").stdout
    assert job[:8] in text and "workers-lost" in text and "killed" in text
    for wrong in (("--reason", "boredom"), ("--limit", "0"), ("--limit", "100000")):
        for command in ("dead", "redrive"):
            assert run(cluster, "job", command, *wrong).returncode == 64

    mend()
    assert lines(run(cluster, "job", "redrive", "--reason", "workers-lost", "--json")) == {"retrying": job}
    assert customer.wait(arn)["Status"] == "ACTIVE"
    assert letters(cluster, job) == []
    [letter] = letters(cluster, job, "--all")
    assert letter["redrivenAt"] and letter["redrivenBy"]
    nothing = run(cluster, "job", "redrive", "--reason", "workers-lost", "--json")
    assert nothing.returncode == 0 and nothing.stdout == ""


def test_redrive_goes_on_behind_a_job_that_is_refused(cluster, customer, failed, name):
    job, arn, dataset, mend = failed
    gone = customer.import_("gone", dataset, f"s3://{customer.bucket}/none.csv", customer.role(f"Gone{name}"))
    assert customer.wait(gone)["Status"] == "CREATE_FAILED"
    lost = lines(run(cluster, "job", "show", gone, "--json"))["job"]
    for each in (job, lost):
        bury(cluster, each, "not-published")
    customer.forecast.delete_dataset_import_job(DatasetImportJobArn=gone)
    mend()
    result = run(cluster, "job", "redrive", "--reason", "not-published", "--json")
    assert result.returncode == 77
    assert json.loads(result.stdout) == {"retrying": job}
    assert lost in result.stderr and "was deleted" in result.stderr
    assert customer.wait(arn)["Status"] == "ACTIVE"
    assert letters(cluster, lost), "its letter stays"
    cluster.sql("jobs", f"DELETE FROM job_dead_letter WHERE job = '{lost}'")


def test_jobs_of_every_account_are_the_operators_to_steer(cluster, customer, failed):
    """These commands read the database with its password: they are an operator's, whoever the customer is."""
    job, arn, _, mend = failed
    mend()
    environment = {"PATH": os.environ["PATH"], "HOME": str(cluster.data)}
    stranger = subprocess.run([BIN / "forecastle", "job", "retry", job], env=environment, capture_output=True, text=True)
    assert stranger.returncode not in (0, 77) and stranger.stdout == ""
    assert customer.describer(arn)()["Status"] == "CREATE_FAILED"
