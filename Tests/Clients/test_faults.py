"""Keys withdrawn and workers killed in the middle of jobs: what is promised is seen to hold."""
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
from conftest import Cluster, Customer, SERVICES, monthly_csv, wait_for

SMALL_CHUNKS = ("--worker-chunk-bytes", "65536", "--worker-task-bytes", "2097152", "--worker-slots", "1")


@pytest.fixture(scope="module")
def slow(bucket_name="customer"):
    """A cluster whose chunks are tiny, so that there is a middle to jobs."""
    cluster = Cluster(
        "faults", "--workers", "2", *SMALL_CHUNKS, "--worker-lease-ms", "3000", "--worker-beat-ms", "300")
    try:
        cluster.start()
        (cluster.buckets / bucket_name).mkdir(exist_ok=True)
        clients = {service: cluster.client(service) for service in SERVICES}
        yield Customer(cluster, clients, bucket_name)
    finally:
        cluster.stop()


def big_csv(megabytes):
    """Rows of random values that compress badly, the same for a seed."""
    generator = random.Random(7)
    lines, size, item = [], 0, 0
    while size < megabytes << 20:
        for day in range(28):
            line = f"item{item:05d},2020-02-{day + 1:02d} 00:00:00,{generator.random() * 1000:.6f}\n"
            lines.append(line)
            size += len(line)
        item += 1
    return "".join(lines), len(lines)


@pytest.fixture(scope="module")
def big(slow):
    text, rows = big_csv(12)
    return slow.put("big/history.csv", text), rows


def start_import(customer, big, name, key=None, role=None):
    dataset = customer.dataset(name, key, role, frequency="D")
    return customer.import_("job", dataset, big, role)


def keyed(customer, name):
    role = customer.role(f"Fault{name}")
    return role, customer.key(role)


class Halting:
    """A cluster with one worker, which stops itself (SIGSTOP) the first time that it reaches a point: what happens then
    happens in the middle of a job, on any machine."""

    def __init__(self, name, point, *flags):
        self.cluster = Cluster(
            name, "--workers", "1", "--worker-key-lease-ms", "500", "--faulty-worker", f"{point}=stop", *flags)

    def __enter__(self):
        self.cluster.start()
        (self.cluster.buckets / "customer").mkdir(exist_ok=True)
        clients = {service: self.cluster.client(service) for service in SERVICES}
        self.customer = Customer(self.cluster, clients, "customer")
        return self

    def __exit__(self, *_):
        self.go_on()
        self.cluster.stop()

    @property
    def halted(self):
        return [pid for pid in self.cluster.processes("worker")
                if Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("T")]

    def wait_until_halted(self):
        wait_for("the worker to reach the point", lambda: self.halted, every=0.02)

    def go_on(self):
        for pid in self.halted:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def importing(name):
    """An import that halted behind its third chunk, with the key and role of its dataset."""
    with Halting(name, "chunk.recorded:3", *SMALL_CHUNKS) as halting:
        customer = halting.customer
        role, key = keyed(customer, name)
        path = customer.put("big/history.csv", big_csv(1)[0])
        arn = start_import(customer, path, name, key, role)
        halting.wait_until_halted()
        yield halting, customer, arn, role, key


def assert_withdrawn(customer, arn, key, act):
    """What cases 41 and 54 leave: no use of the key after it was withdrawn, nothing published, no grant of the job."""
    def on_key(event):
        return any(resource["ARN"] == key for resource in event.get("resources") or [])

    events = customer.events()
    last = max(i for i, event in enumerate(events) if event["eventName"] == act and on_key(event))
    used = [event for event in events[last + 1:]
            if event["eventName"] in ("GenerateDataKey", "Decrypt") and on_key(event) and not event.get("errorCode")]
    assert used == []
    job = f"(SELECT id FROM job WHERE resource = '{arn}')"
    sql = customer.cluster.sql
    assert sql("jobs", f"SELECT state, manifest_object IS NULL FROM job WHERE id = {job}") == ["failed|t"]
    assert sql("jobs", f"SELECT DISTINCT state FROM job_grant WHERE job = {job}") == ["retired"]
    assert sql("jobs", f"SELECT count(*) FROM job_object WHERE job = {job} AND state = 'published'") == ["0"]
    assert customer.job_grants(key) == []


def test_a_revoked_grant_ends_a_running_import(importing):
    halting, customer, arn, role, key = importing
    grant = customer.job_grants(key)[0]
    customer.kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    halting.go_on()
    failed = customer.wait(arn)
    assert failed["Status"] == "CREATE_FAILED"
    for part in (arn, key, role, "AccessDeniedException", "the grant was revoked"):
        assert part in failed["Message"], failed["Message"]
    assert "FieldStatistics" not in failed
    assert_withdrawn(customer, arn, key, "RevokeGrant")


def test_a_disabled_key_ends_a_running_import(importing):
    halting, customer, arn, role, key = importing
    customer.kms.disable_key(KeyId=key)
    halting.go_on()
    failed = customer.wait(arn)
    assert failed["Status"] == "CREATE_FAILED"
    for part in (arn, key, role, "DisabledException"):
        assert part in failed["Message"], failed["Message"]
    assert_withdrawn(customer, arn, key, "DisableKey")
    customer.kms.enable_key(KeyId=key)
    customer.assert_no_grant_left(key)


def test_a_key_whose_deletion_is_scheduled_ends_a_running_import(importing):
    halting, customer, arn, role, key = importing
    customer.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    halting.go_on()
    failed = customer.wait(arn)
    assert failed["Status"] == "CREATE_FAILED"
    for part in (arn, key, role, "KMSInvalidStateException"):
        assert part in failed["Message"], failed["Message"]
    assert_withdrawn(customer, arn, key, "ScheduleKeyDeletion")
    customer.assert_no_grant_left(key)


def test_stop_ends_a_running_import_and_its_grants(importing):
    halting, customer, arn, _, key = importing
    customer.forecast.stop_resource(ResourceArn=arn)
    halting.go_on()
    assert customer.wait(arn)["Status"] == "CREATE_STOPPED"
    customer.assert_no_grant_left(key)


@pytest.mark.parametrize("act, reason", [
    ("DisableKey", "DisabledException"), ("RevokeGrant", "the grant was revoked"),
    ("ScheduleKeyDeletion", "KMSInvalidStateException")])
def test_a_dataset_key_that_is_withdrawn_ends_a_running_training(name, act, reason):
    # The first grant is the import's; the training has both of its own with the third.
    with Halting(name, "grant.recorded:3") as halting:
        customer = halting.customer
        role, key = keyed(customer, name)
        model_role, model_key = keyed(customer, name + "m")
        dataset = customer.dataset(name, key, role)
        path = customer.put(f"{name}/h.csv", monthly_csv(items=10))
        group = customer.forecast.create_dataset_group(
            DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
        assert customer.wait(customer.import_("first", dataset, path, role))["Status"] == "ACTIVE"

        def train(predictor):
            return customer.forecast.create_auto_predictor(
                PredictorName=predictor, ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
                EncryptionConfig={"KMSKeyArn": model_key, "RoleArn": model_role})["PredictorArn"]

        predictor = train(name)
        halting.wait_until_halted()
        assert customer.describer(predictor)()["Status"] == "CREATE_IN_PROGRESS"
        if act == "RevokeGrant":
            [grant] = customer.job_grants(key)
            customer.kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
        elif act == "DisableKey":
            customer.kms.disable_key(KeyId=key)
        else:
            customer.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        halting.go_on()
        failed = customer.wait(predictor)
        assert failed["Status"] == "CREATE_FAILED"
        assert key in failed["Message"] and reason in failed["Message"], failed["Message"]
        assert_withdrawn(customer, predictor, key, act)
        if act == "ScheduleKeyDeletion":
            customer.kms.cancel_key_deletion(KeyId=key)
        customer.kms.enable_key(KeyId=key)
        customer.assert_no_grant_left(model_key)
        # The other artifact is untouched.
        assert customer.wait(train(name + "2"))["Status"] == "ACTIVE"


def chunks(slow):
    return sum(1 for path in (slow.cluster.data / "artifacts").rglob("*") if path.is_file())


def test_being_asked_to_end_again_and_again_is_no_worse_than_once(slow, big, name):
    """A worker that is asked on and on while it drains gives its task back all the same, and ends in order."""
    role, key = keyed(slow, name)
    arn = start_import(slow, big[0], name, key, role)
    cluster = slow.cluster
    job = f"(SELECT id FROM job WHERE resource = '{arn}')"
    [worker, *_] = wait_for("a worker to be at work on it", lambda: cluster.sql(
        "jobs", f"SELECT worker FROM job_task WHERE job = {job} AND role = 'work' AND state = 'running'"), every=0.02)
    pid = int(worker.split("-")[1])
    try:
        while pid in cluster.processes("worker"):
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.001)
    except ProcessLookupError:
        pass
    held = cluster.sql("jobs", f"SELECT count(*) FROM job_task WHERE state = 'running' AND worker = '{worker}'")
    assert held == ["0"], "it ended with leases not given back"
    ended = wait_for("its end to be said", lambda: [
        line for line in (cluster.data / "up.log").read_text().splitlines()
        if f"pid={pid} " in line and "ended; starting it again" in line])
    assert "status=exited with 0" in ended[0], ended
    assert slow.wait(arn)["Status"] == "ACTIVE"
    slow.assert_no_grant_left(key)


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["kill", "stop_past_the_lease"])
def test_another_worker_finishes_the_import(slow, big, name, fault):
    role, key = keyed(slow, name)
    before = chunks(slow)
    arn = start_import(slow, big[0], name, key, role)
    wait_for("six chunks", lambda: chunks(slow) >= before + 6, every=0.02)
    victims = slow.cluster.processes("worker")
    assert len(victims) >= 2
    victim = victims[0]
    os.kill(victim, fault)
    resumed = None
    if fault == signal.SIGSTOP:
        # Longer than the lease: what it holds is taken over; then it wakes and may change nothing.
        resumed = threading.Timer(9, lambda: os.kill(victim, signal.SIGCONT))
        resumed.start()
    done = slow.wait(arn)
    if resumed:
        resumed.join()
    assert done["Status"] == "ACTIVE", done.get("Message")
    assert done["FieldStatistics"]["item_id"]["Count"] == big[1]
    slow.assert_no_grant_left(key)
    time.sleep(1)
    again = slow.describer(arn)()
    assert again["Status"] == "ACTIVE" and again["FieldStatistics"] == done["FieldStatistics"]
    wait_for("two workers again", lambda: len(slow.cluster.processes("worker")) >= 2)


FAULT_POINTS = [
    "task.claimed", "task.planned", "grant.intended", "grant.created", "object.reserved", "chunk.before-record",
    "chunk.recorded", "task.before-finish", "commit.manifest-written", "commit.manifest-recorded",
    "commit.grants-retired", "commit.published",
]


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_worker_killed_at_any_stage_loses_and_doubles_nothing(point):
    """One worker dies at the stage, once; the one that takes its place finishes."""
    cluster = Cluster(
        f"kill-{point}", "--workers", "2", "--worker-lease-ms", "3000", "--worker-beat-ms", "300",
        "--faulty-worker", f"{point}=kill")
    try:
        cluster.start()
        (cluster.buckets / "customer").mkdir(exist_ok=True)
        clients = {service: cluster.client(service) for service in SERVICES}
        customer = Customer(cluster, clients, "customer")
        role = customer.role("Killed")
        key = customer.key(role)
        path = customer.put("h.csv", monthly_csv(items=2))
        dataset = customer.dataset("data", key, role)
        done = customer.wait(customer.import_("job", dataset, path, role))
        assert done["Status"] == "ACTIVE", done.get("Message")
        assert done["FieldStatistics"]["item_id"]["Count"] == 144
        customer.assert_no_grant_left(key)
    finally:
        cluster.stop()
