"""Cases 50, 52 and 53: grants without a record, chunks in the wrong place, specifications that somebody edited."""
import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from conftest import SERVICES, Cluster, Customer, monthly_csv, trust_policy, wait_for


def customer_of(cluster):
    (cluster.buckets / "customer").mkdir(exist_ok=True)
    return Customer(cluster, {service: cluster.client(service) for service in SERVICES}, "customer")


def is_halted(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("T")


# Case 50

@pytest.fixture(params=["grant.intended", "grant.created"])
def paused(request, name):
    """Two workers, of which the one that plans the job halts before CreateGrant or between its effect and its record."""
    cluster = Cluster(
        name, "--workers", "2", "--worker-lease-ms", "3000", "--worker-beat-ms", "300", "--worker-retire-deadline-s", "60",
        "--faulty-worker", f"{request.param}=stop")
    try:
        cluster.start()
        customer = customer_of(cluster)
        role = customer.role("Paused")
        key = customer.key(role)
        path = customer.put("h.csv", monthly_csv(items=1))
        # The other worker must not be quicker: one job after the other, until the faulty one has planned.
        for number in range(20):
            dataset = customer.dataset(f"data{number}", key, role)
            arn = customer.import_("job", dataset, path, role)
            reached = wait_for(
                "the planner to halt, or the job's end",
                lambda: next((pid for pid in cluster.processes("worker") if is_halted(pid)), None)
                or customer.describer(arn)()["Status"] == "ACTIVE", every=0.02)
            if reached is not True:
                break
        else:
            pytest.fail("the faulty worker planned none of twenty jobs")
        yield customer, arn, key, reached, request.param
    finally:
        for pid in cluster.processes("worker"):
            os.kill(pid, signal.SIGCONT)
        cluster.stop()


def test_a_planner_that_wakes_after_its_job_ended_leaves_no_grant(paused):
    customer, arn, key, pid, point = paused
    customer.forecast.stop_resource(ResourceArn=arn)
    assert customer.wait(arn)["Status"] == "CREATE_STOPPED"
    # A terminal status is shown only after the grants are retired, recorded or not.
    assert customer.job_grants(key) == []
    job = f"(SELECT id FROM job WHERE resource = '{arn}')"
    assert customer.cluster.sql("jobs", f"SELECT DISTINCT state FROM job_grant WHERE job = {job}") == ["retired"]
    log = customer.cluster.data / "logs" / "worker-1.log"
    before = len(log.read_text())
    os.kill(pid, signal.SIGCONT)
    # By its clock, its beat or the fence of what it writes, whichever comes first. Should it get as far as CreateGrant all the
    # same, the sweeper finds the grant by its Name.
    ends = ("A lease was lost", "the attempt ends", "An attempt ended")
    wait_for("the planner to see that it lost its lease", lambda: any(end in log.read_text()[before:] for end in ends))
    wait_for("no grant to be left", lambda: customer.job_grants(key) == [] and all_retired(customer, key), seconds=180)
    assert customer.describer(arn)()["Status"] == "CREATE_STOPPED"
    assert customer.cluster.sql("jobs", f"SELECT state FROM job WHERE id = {job}") == ["stopped"]
    assert customer.cluster.sql("jobs", f"SELECT DISTINCT state FROM job_grant WHERE job = {job}") == ["retired"]


def made(customer, key):
    return {e["responseElements"]["grantId"] for e in customer.events("CreateGrant")
            if e.get("responseElements") and e["resources"][0]["ARN"] == key
            and e["requestParameters"]["name"].startswith("job/")}


def all_retired(customer, key):
    retired = {e["additionalEventData"]["grantId"] for e in customer.events("RetireGrant") if not e.get("errorCode")}
    return made(customer, key) <= retired


def test_a_role_whose_trust_is_gone_at_retirement_leaves_no_grant(name):
    """Who made the grant can retire it no more: the retiring principal does, before the job is shown as ended."""
    cluster = Cluster(
        name, "--workers", "1", "--worker-lease-ms", "3000", "--worker-beat-ms", "300",
        "--faulty-worker", "commit.manifest-recorded=stop")
    try:
        cluster.start()
        customer = customer_of(cluster)
        role = customer.role("Fickle")
        key = customer.key(role)
        path = customer.put("h.csv", monthly_csv(items=1))
        arn = customer.import_("job", customer.dataset("data", key, role), path, role)
        pid = wait_for("the worker to halt", lambda: next(
            (pid for pid in cluster.processes("worker") if is_halted(pid)), None), every=0.02)
        [grant] = customer.job_grants(key)
        cluster.client("iam").update_assume_role_policy(
            RoleName="Fickle", PolicyDocument=json.dumps(trust_policy(account="210987654321")))
        # The session that this process holds is still valid: another one must go on.
        os.kill(pid, signal.SIGKILL)
        assert customer.wait(arn)["Status"] == "ACTIVE"
        assert customer.job_grants(key) == []
        [retired] = [event for event in customer.events("RetireGrant") if not event.get("errorCode")
                     and event["additionalEventData"]["grantId"] == grant["GrantId"]]
        # Not by the role whose session made it.
        assert "Fickle" not in json.dumps(retired["userIdentity"])
    finally:
        cluster.stop()


# Case 52

REFUSED = ("An artifact could not be opened: The message could not be authenticated: it was altered or cut short, or is not meant "
           "for this key and context.")


class Artifacts:
    """An imported history under one key, another one, and a group to train the first on."""

    def __init__(self, customer):
        self.customer = customer
        self.role = customer.role("Swapped")
        self.key = customer.key(self.role)
        self.ours = self.imported("ours", 3)
        self.theirs = self.imported("theirs", 4)
        self.group = customer.forecast.create_dataset_group(
            DatasetGroupName="swapped", Domain="CUSTOM", DatasetArns=[self.dataset])["DatasetGroupArn"]

    def imported(self, name, items):
        customer = self.customer
        dataset = customer.dataset(f"swapped{name}", self.key, self.role)
        if name == "ours":
            self.dataset = dataset
        arn = customer.import_("job", dataset, customer.put(f"swapped/{name}.csv", monthly_csv(items=items)), self.role)
        assert customer.wait(arn)["Status"] == "ACTIVE"
        return arn

    def files(self, arn):
        """The manifest and the chunks of an artifact in the store."""
        root = self.customer.cluster.data / "artifacts"
        rows = self.customer.cluster.sql(
            "jobs", "SELECT o.name || '|' || (o.name = j.manifest_object) FROM job_object o JOIN job j ON j.id = o.job "
            f"WHERE j.resource = '{arn}' AND o.state = 'published' ORDER BY o.name")
        split = [row.rsplit("|", 1) for row in rows]
        return [root / n for n, m in split if m == "true"], [root / n for n, m in split if m == "false"]

    def train(self, name):
        return self.customer.forecast.create_auto_predictor(
            PredictorName=name, ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": self.group},
            EncryptionConfig={"KMSKeyArn": self.key, "RoleArn": self.role})["PredictorArn"]


@pytest.fixture(scope="module")
def artifacts(customer):
    return Artifacts(customer)


def under_the_attackers_key(customer, genuine):
    """A message of the official SDK with the genuine one's very context, under a key of the attacker's own."""
    sdk = pytest.importorskip("aws_encryption_sdk")
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
    role = customer.role("Attacker")
    key = customer.key(role)
    keyring = AwsCryptographicMaterialProviders(MaterialProvidersConfig()).create_aws_kms_keyring(
        CreateAwsKmsKeyringInput(kms_key_id=key, kms_client=customer.kms))
    client = sdk.EncryptionSDKClient(
        commitment_policy=sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    context = {k: v for k, v in header_context(genuine).items() if not k.startswith("aws-crypto")}
    sealed, _ = client.encrypt(
        source=b"x" * 4096, keyring=keyring, encryption_context=context, frame_length=65536,
        algorithm=sdk.identifiers.AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY)
    return sealed, key


def header_context(message):
    """The encryption context of a message of version 2: version, suite, message id of 32 bytes, length, pairs."""
    at, pairs = 35, {}
    length, at = int.from_bytes(message[at:at + 2], "big"), at + 2
    count, at = int.from_bytes(message[at:at + 2], "big"), at + 2
    for _ in range(count):
        texts = []
        for _ in range(2):
            size = int.from_bytes(message[at:at + 2], "big")
            texts.append(message[at + 2:at + 2 + size].decode())
            at += 2 + size
        pairs[texts[0]] = texts[1]
    assert length == at - 37
    return pairs


@pytest.mark.parametrize("which", ["another_artifact", "manifest_of_another", "attackers_key", "altered"])
def test_a_genuine_message_in_the_wrong_place_is_refused_before_any_call(artifacts, name, which):
    customer = artifacts.customer
    manifests, chunks = artifacts.files(artifacts.ours)
    other_manifests, other_chunks = artifacts.files(artifacts.theirs)
    place = manifests[0] if which == "manifest_of_another" else chunks[0]
    genuine = place.read_bytes()
    keys = {artifacts.key}
    if which == "another_artifact":
        put = other_chunks[0].read_bytes()
    elif which == "manifest_of_another":
        put = other_manifests[0].read_bytes()
    elif which == "attackers_key":
        put, attackers = under_the_attackers_key(customer, genuine)
        keys.add(attackers)
    else:
        put = genuine[:-1] + bytes([genuine[-1] ^ 1])
    before = len(customer.events("Decrypt"))
    backup = customer.cluster.data / f"{name}.genuine"
    shutil.copy(place, backup)
    place.chmod(0o600)
    place.write_bytes(put)
    try:
        failed = customer.wait(artifacts.train(name))
    finally:
        place.write_bytes(backup.read_bytes())
    assert failed["Status"] == "CREATE_FAILED"
    # One error, whatever is wrong with the message.
    assert failed["Message"] == REFUSED
    for event in customer.events("Decrypt")[before:]:
        context = event["requestParameters"]["encryptionContext"]
        assert event["resources"][0]["ARN"] == artifacts.key
        if which == "altered":
            continue  # Its header is genuine, so KMS may be asked; no frame of it is released.
        if context["forecastle:resource"] in (artifacts.ours, artifacts.theirs):
            assert context["forecastle:kind"] == "manifest" and which != "manifest_of_another", context
    for key in keys:
        assert customer.job_grants(key) == []


def test_what_was_put_back_is_read_again(artifacts, name):
    assert artifacts.customer.wait(artifacts.train(name))["Status"] == "ACTIVE"


# Case 53

@pytest.fixture(scope="module")
def exportable(name="edited"):
    """A cluster of one worker, which a test can hold up between acceptance and claim, and a forecast to export."""
    cluster = Cluster(f"faults-{name}", "--workers", "1")
    try:
        cluster.start()
        customer = customer_of(cluster)
        role = customer.role("Edited")
        key = customer.key(role)
        dataset = customer.dataset(name, key, role)
        group = customer.forecast.create_dataset_group(
            DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
        assert customer.wait(customer.import_("job", dataset, customer.put("h.csv", monthly_csv(items=1)), role))[
            "Status"] == "ACTIVE"
        predictor = customer.forecast.create_auto_predictor(
            PredictorName=name, ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
            EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]
        assert customer.wait(predictor)["Status"] == "ACTIVE"
        forecast = customer.forecast.create_forecast(ForecastName=name, PredictorArn=predictor)["ForecastArn"]
        assert customer.wait(forecast)["Status"] == "ACTIVE"
        customer.edited_role, customer.edited_key, customer.edited_forecast = role, key, forecast
        yield customer
    finally:
        for pid in cluster.processes("worker"):
            os.kill(pid, signal.SIGCONT)
        cluster.stop()


@pytest.mark.parametrize("what", ["path", "role", "key"])
def test_an_edited_specification_is_refused_with_an_alarm(exportable, name, what):
    customer = exportable
    cluster = customer.cluster
    other_role = customer.role(f"Other{name}")
    other_key = customer.key(other_role)
    [worker] = cluster.processes("worker")
    os.kill(worker, signal.SIGSTOP)
    try:
        arn = customer.forecast.create_forecast_export_job(
            ForecastExportJobName=name, ForecastArn=customer.edited_forecast, Destination={"S3Config": {
                "Path": f"s3://customer/{name}-ours", "RoleArn": customer.edited_role, "KMSKeyArn": customer.edited_key,
            }})["ForecastExportJobArn"]
        old, new = {
            "path": (f"{name}-ours", f"{name}-bad"), "role": ("role/Edited", f"role/Other{name}"),
            "key": (customer.edited_key.split("/")[1], other_key.split("/")[1]),
        }[what]
        changed = cluster.sql("jobs", f"""
            UPDATE job SET specification =
                convert_to(replace(convert_from(specification, 'UTF8'), '{old}', '{new}'), 'UTF8')
            WHERE resource = '{arn}' AND position('{old}' IN convert_from(specification, 'UTF8')) > 0 RETURNING 1""")
        assert changed == ["1"]
        events = len(customer.events())
    finally:
        os.kill(worker, signal.SIGCONT)
    failed = customer.wait(arn)
    assert failed["Status"] == "CREATE_FAILED"
    assert "not the one that was accepted" in failed["Message"]
    # The alarm, the names of both files, what the trail shows and what the database knows.
    assert any("specification" in line and (" error " in line or " critical " in line)
               for line in (cluster.data / "logs" / "worker-1.log").read_text().splitlines()), "no alarm in the log"
    for suffix in ("ours", "bad"):
        assert not [p for p in (cluster.buckets / f"customer/{name}-{suffix}").rglob("*") if p.is_file()]
    for event in customer.events()[events:]:
        assert event["eventName"] not in ("AssumeRole", "CreateGrant", "GenerateDataKey"), event
        assert not (event["eventName"] == "Decrypt" and not event.get("errorCode")), event
    assert cluster.sql("jobs", f"SELECT count(*) FROM job_grant g JOIN job j ON j.id = g.job WHERE j.resource = '{arn}'") == ["0"]
    assert customer.job_grants(other_key) == [] and customer.job_grants(customer.edited_key) == []
