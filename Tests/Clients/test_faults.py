"""Keys withdrawn and workers killed in the middle of jobs: what is promised is seen to hold."""
import os
import random
import signal
import threading
import time

import pytest
from conftest import Cluster, Customer, SERVICES, monthly_csv, wait_for


@pytest.fixture(scope="module")
def slow(bucket_name="customer"):
    """A cluster whose chunks are tiny, so that there is a middle to jobs."""
    cluster = Cluster(
        "faults", "--workers", "2", "--worker-chunk-bytes", "65536", "--worker-task-bytes", "2097152",
        "--worker-lease-ms", "2000", "--worker-beat-ms", "300", "--worker-key-lease-ms", "500", "--worker-slots", "1")
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


def start_import(slow, big, name, key=None, role=None):
    dataset = slow.dataset(name, key, role, frequency="D")
    arn = slow.import_("job", dataset, big[0], role)
    return arn


def keyed(slow, name):
    role = slow.role(f"Fault{name}")
    return role, slow.key(role)


def chunks(slow):
    return sum(1 for path in (slow.cluster.data / "artifacts").rglob("*") if path.is_file())


def wait_for_chunks(slow, before, count=6):
    wait_for(f"{count} chunks more than {before}", lambda: chunks(slow) >= before + count, 30, every=0.02)


def test_a_revoked_grant_ends_a_running_import(slow, big, name):
    role, key = keyed(slow, name)
    before = chunks(slow)
    arn = start_import(slow, big, name, key, role)
    wait_for_chunks(slow, before)
    grant = slow.job_grants(key)[0]
    slow.kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    revoked = time.monotonic()
    failed = slow.wait(arn, seconds=30)
    assert failed["Status"] == "CREATE_FAILED"
    assert time.monotonic() - revoked < 15
    assert "grant" in failed["Message"].lower() or "denied" in failed["Message"].lower(), failed["Message"]
    assert slow.job_grants(key) == []
    assert "FieldStatistics" not in failed


def test_a_disabled_key_ends_a_running_import(slow, big, name):
    role, key = keyed(slow, name)
    before = chunks(slow)
    arn = start_import(slow, big, name, key, role)
    wait_for_chunks(slow, before)
    slow.kms.disable_key(KeyId=key)
    failed = slow.wait(arn, seconds=30)
    assert failed["Status"] == "CREATE_FAILED"
    assert "disabled" in failed["Message"].lower() or "denied" in failed["Message"].lower(), failed["Message"]
    slow.kms.enable_key(KeyId=key)
    slow.assert_no_grant_left(key)


def test_a_disabled_key_ends_a_running_training(slow, name):
    role, key = keyed(slow, name)
    dataset = slow.dataset(name, key, role)
    path = slow.put(f"{name}/many.csv", monthly_csv(items=1000, months=120))
    group = slow.forecast.create_dataset_group(
        DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    assert slow.wait(slow.import_("first", dataset, path, role))["Status"] == "ACTIVE"
    model_role, model_key = keyed(slow, name + "m")
    predictor = slow.forecast.create_auto_predictor(
        PredictorName=name, ForecastHorizon=12, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": model_key, "RoleArn": model_role})["PredictorArn"]
    slow.wait(predictor, "CREATE_IN_PROGRESS")
    wait_for("a grant on the dataset's key", lambda: slow.job_grants(key), 20, every=0.02)
    slow.kms.disable_key(KeyId=key)
    failed = slow.wait(predictor, seconds=30)
    assert failed["Status"] == "CREATE_FAILED"
    assert slow.job_grants(model_key) == []
    slow.kms.enable_key(KeyId=key)
    slow.assert_no_grant_left(model_key)
    # The other artifact is untouched.
    again = slow.forecast.create_auto_predictor(
        PredictorName=name + "2", ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": model_key, "RoleArn": model_role})["PredictorArn"]
    assert slow.wait(again, seconds=240)["Status"] == "ACTIVE"


def test_stop_ends_a_running_import_and_its_grants(slow, big, name):
    role, key = keyed(slow, name)
    before = chunks(slow)
    arn = start_import(slow, big, name, key, role)
    wait_for_chunks(slow, before)
    slow.forecast.stop_resource(ResourceArn=arn)
    assert slow.wait(arn, seconds=20)["Status"] == "CREATE_STOPPED"
    slow.assert_no_grant_left(key)


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["kill", "stop_past_the_lease"])
def test_another_worker_finishes_the_import(slow, big, name, fault):
    role, key = keyed(slow, name)
    before = chunks(slow)
    arn = start_import(slow, big, name, key, role)
    wait_for_chunks(slow, before)
    victims = slow.cluster.processes("worker")
    assert len(victims) >= 2
    victim = victims[0]
    os.kill(victim, fault)
    resumed = None
    if fault == signal.SIGSTOP:
        # Longer than the lease: what it holds is taken over; then it wakes and may change nothing.
        resumed = threading.Timer(6, lambda: os.kill(victim, signal.SIGCONT))
        resumed.start()
    done = slow.wait(arn, seconds=90)
    if resumed:
        resumed.join()
    assert done["Status"] == "ACTIVE", done.get("Message")
    assert done["FieldStatistics"]["item_id"]["Count"] == big[1]
    slow.assert_no_grant_left(key)
    time.sleep(1)
    again = slow.describer(arn)()
    assert again["Status"] == "ACTIVE" and again["FieldStatistics"] == done["FieldStatistics"]
    wait_for("two workers again", lambda: len(slow.cluster.processes("worker")) >= 2, 20)


FAULT_POINTS = [
    "task.claimed", "task.planned", "grant.intended", "grant.created", "object.reserved", "chunk.before-record",
    "chunk.recorded", "task.before-finish", "commit.manifest-written", "commit.manifest-recorded",
    "commit.grants-retired", "commit.published",
]


@pytest.mark.parametrize("point", FAULT_POINTS)
def test_a_worker_killed_at_any_stage_loses_and_doubles_nothing(point):
    """One worker dies at the stage, once; the one that takes its place finishes."""
    cluster = Cluster(
        f"kill-{point}", "--workers", "2", "--worker-lease-ms", "1500", "--worker-beat-ms", "250",
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
        done = customer.wait(customer.import_("job", dataset, path, role), seconds=60)
        assert done["Status"] == "ACTIVE", done.get("Message")
        assert done["FieldStatistics"]["item_id"]["Count"] == 144
        customer.assert_no_grant_left(key)
    finally:
        cluster.stop()
