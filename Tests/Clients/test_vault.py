"""The vault of whole clusters: restored databases, a root key that changes under load or lies in a KMS elsewhere, disks that fail."""
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, Cluster, Customer, SERVICES, wait_for

SECRET = b"kept under a key"


def halt(cluster):
    """Stops a cluster in order and keeps its folder."""
    cluster.process.send_signal(signal.SIGTERM)
    cluster.process.wait(timeout=180)


def refused(cluster):
    """Starts a cluster that must not start, and answers what it said."""
    with pytest.raises(AssertionError, match="the cluster ended"):
        cluster.start()
    return (cluster.data / "up.log").read_text()


def code(call, **arguments):
    """The error's code, or None."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]


def sql(cluster, statement):
    connection = (cluster.data / "postgres.conninfo").read_text().strip()
    connection = connection.replace("dbname=postgres", "dbname=forecastle_authority")
    subprocess.run(["psql", connection, "-v", "ON_ERROR_STOP=1", "-qc", statement], check=True, capture_output=True)


def customer_of(cluster):
    return Customer(cluster, {service: cluster.client(service) for service in SERVICES}, "customer")


@pytest.fixture
def own(request):
    """A cluster of the test's own; `start` is the test's to call."""
    cluster = Cluster(request.node.name[5:25], "--workers", "1")
    try:
        yield cluster
    finally:
        cluster.stop()


def test_a_restored_database_is_refused_until_it_is_accepted(own):
    customer = customer_of(own.start())
    kms = customer.kms
    allow = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"}]}
    user = customer.user("reader", allow)
    granted, disabled, deleted = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(3))
    blobs = {key: kms.encrypt(KeyId=key, Plaintext=SECRET)["CiphertextBlob"] for key in (granted, disabled, deleted)}
    grant = kms.create_grant(
        KeyId=granted, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:user/reader", Operations=["Decrypt"])["GrantId"]
    reader = own.client("kms", user)
    assert reader.decrypt(CiphertextBlob=blobs[granted])["Plaintext"] == SECRET
    halt(own)
    backup = own.data / "postgres.backup"
    shutil.copytree(own.data / "postgres", backup)
    # Owners, which copytree leaves out.
    subprocess.run(["chown", "-R", "--reference", own.data / "postgres", backup], check=True)

    customer = customer_of(own.start())
    kms = customer.kms
    kms.revoke_grant(KeyId=granted, GrantId=grant)
    kms.disable_key(KeyId=disabled)
    kms.schedule_key_deletion(KeyId=deleted, PendingWindowInDays=7)
    own.tool("admin", "access-key", "delete", user["aws_access_key_id"], "--account", ACCOUNT)
    assert code(reader.decrypt, CiphertextBlob=blobs[granted]) == "UnrecognizedClientException"
    sql(own, "UPDATE keys SET deletion_at = now() - interval '1 hour' WHERE state = 'PendingDeletion'")
    halt(own)
    # An authority destroys what is due when it starts.
    customer = customer_of(own.start())
    shred = own.data / "vault" / (deleted.split("/")[1] + ".shred")
    wait_for("the key to be destroyed", lambda: not shred.exists() and shred.with_suffix(".gone").exists())
    assert code(customer.kms.decrypt, CiphertextBlob=blobs[deleted]) == "AccessDeniedException"
    assert "epoch" in own.tool("doctor", check=False).stdout
    halt(own)

    shutil.rmtree(own.data / "postgres")
    os.rename(backup, own.data / "postgres")
    said = refused(own)
    assert "older than its vault" in said and "forecastle admin restore" in said

    # PostgreSQL alone, for the commands.
    flags, own.flags = own.flags, ("--only", "postgres")
    own.process = subprocess.Popen(
        [*own_command(own), "--only", "postgres"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("PostgreSQL", lambda: (own.data / "ready").exists())
    doctor = own.tool("doctor", check=False)
    assert doctor.returncode == 1 and "the database is older than its vault" in doctor.stdout
    other = own.tool("admin", "user", "list", "--account", ACCOUNT, check=False)
    assert other.returncode != 0 and "older than its vault" in other.stderr
    shown = own.tool("admin", "restore", "--json", check=False)
    assert shown.returncode == 1
    preview, = json.loads(shown.stdout)
    # Three keys of the customer's and the default key; what was destroyed since is counted apart.
    assert (preview["keysDisabled"], preview["keysBuried"]) == ("3", "1")
    accepted, = json.loads(own.tool("admin", "restore", "--accept", "--json").stdout)
    assert {**accepted, "status": ""} == {**preview, "status": ""}
    again, = json.loads(own.tool("admin", "restore", "--accept", "--json").stdout)
    assert again["status"].startswith("nothing to accept")
    halt(own)

    # Every access key is inactive, the service's own too: without their files the bootstrap makes new ones.
    own.flags = flags
    for name in ("api", "worker", "operator", "admin"):
        (own.data / "credentials" / f"{name}.json").unlink()
    customer = customer_of(own.start())
    kms = customer.kms
    assert code(own.client("kms", user).describe_key, KeyId=granted) == "UnrecognizedClientException"
    assert kms.list_grants(KeyId=granted)["Grants"] == []
    states = {key: kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in (granted, disabled)}
    assert set(states.values()) == {"Disabled"}
    assert code(kms.decrypt, CiphertextBlob=blobs[disabled]) == "DisabledException"
    assert code(kms.decrypt, CiphertextBlob=blobs[deleted]) == "AccessDeniedException"
    assert code(kms.describe_key, KeyId=deleted) == "NotFoundException"
    event, = customer.events("AcceptRestoredDatabase")
    assert event["requestParameters"]["grantsRevoked"] == int(accepted["grantsRevoked"])
    # What people reviewed is of use again.
    kms.enable_key(KeyId=granted)
    assert kms.decrypt(CiphertextBlob=blobs[granted])["Plaintext"] == SECRET
    operator = own.client("kms", read_credentials(own, "operator"))
    for key in operator.list_keys()["Keys"]:
        operator.enable_key(KeyId=key["KeyId"])


def own_command(cluster):
    from conftest import BIN
    return [BIN / "forecastle", "up", "--data", cluster.data]


def read_credentials(cluster, name):
    made = json.loads((cluster.data / "credentials" / f"{name}.json").read_text())
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}


def test_the_root_key_changes_while_clients_use_keys(own):
    customer = customer_of(own.start())
    kms = own.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=SECRET)["CiphertextBlob"]
    role = customer.role("Busy", policy=customer.s3_policy(), trust={
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]})
    stop, errors, rounds = threading.Event(), [], []

    def use():
        # One attempt: nothing is hidden by trying again.
        client, sts = own.client("kms"), own.client("sts")
        client.meta.config.retries = sts.meta.config.retries = {"total_max_attempts": 1}
        try:
            while not stop.is_set():
                assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == SECRET
                client.generate_data_key(KeyId=key, KeySpec="AES_256")
                sts.assume_role(RoleArn=role, RoleSessionName="busy")
                rounds.append(1)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_for("clients to be at work", lambda: len(rounds) > 5 or errors)
    outcome, = json.loads(own.tool("admin", "rotate-root-key", "--destroy-old", "--json").stdout)
    count = len(rounds)
    wait_for("clients to be at work on the new root key", lambda: len(rounds) > count + 5 or errors)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    # Nobody's secret, which an unknown key is compared with, survived the rotation too.
    nobody = {"aws_access_key_id": "AKIA" + "A" * 16, "aws_secret_access_key": "x" * 40}
    assert code(own.client("kms", nobody).list_keys) == "UnrecognizedClientException"
    assert outcome["version"] == "2" and outcome["retired"] == "1" and int(outcome["resealed"]) >= 6
    assert (own.data / "root.key.2").exists() and not (own.data / "root.key").exists()
    assert "root key version 2" in own.tool("doctor", check=False).stdout
    halt(own)
    own.start()
    assert own.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == SECRET
    events = {event["eventName"] for event in trail_of_service(own)}
    assert {"RotateRootKey", "RetireRootKey"} <= events


def trail_of_service(cluster):
    """Records of the service's account, as its operator sees them."""
    trail = cluster.client("cloudtrail", read_credentials(cluster, "operator"))
    pages = trail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "vault.forecastle"}])
    return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]


@contextlib.contextmanager
def small_disk(path):
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(path)], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip("mounting a small disk needs more rights than this user has")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def test_a_vault_that_cannot_be_written_closes_the_keys(own):
    own.flags += ("--authority-vault-closes-after-s", "2")
    with small_disk(own.data / "vault") as vault:
        kms = own.start().client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        blob = kms.encrypt(KeyId=key, Plaintext=SECRET)["CiphertextBlob"]

        def works():
            return code(kms.decrypt, CiphertextBlob=blob) is None

        def is_closed():
            return code(kms.decrypt, CiphertextBlob=blob) == "KMSInternalException"

        def remount(how):
            subprocess.run(["mount", "-o", f"remount,{how}", str(vault)], check=True)

        remount("ro")
        wait_for("uses to be refused on a read-only vault", is_closed)
        assert code(kms.create_key) == "KMSInternalException"
        # What takes rights away goes on.
        kms.disable_key(KeyId=key)
        kms.enable_key(KeyId=key)
        remount("rw")
        wait_for("keys to be used again", works)

        filler = vault / "filler"
        with pytest.raises(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        wait_for("uses to be refused on a full vault", is_closed)
        before = set(os.listdir(vault))
        assert code(kms.create_key) == "KMSInternalException"
        assert {name for name in set(os.listdir(vault)) - before if not name.startswith(".")} == set()
        filler.unlink()
        wait_for("keys to be used again", works)
        shown, = json.loads(own.tool("admin", "vault", "show", "--json").stdout)
        assert shown["state"] == "there" and int(shown["records"]) > 0
        halt(own)


def test_two_replicas_and_a_mounted_root_key(own):
    replicas = [own.data / "vault", own.data / "vault-b"]
    mounted = (
        "--authority-root-key-source", "mounted", "--authority-vault-directory", ",".join(map(str, replicas)))
    own.flags += mounted
    assert "made by whoever mounts them" in refused(own)
    own.data.joinpath("root.key").write_bytes(os.urandom(32))
    own.data.joinpath("root.key").chmod(0o444)
    assert "others must have no rights" in refused(own)
    own.data.joinpath("root.key").chmod(0o440)
    kms = own.start().client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key, Plaintext=SECRET)["CiphertextBlob"]
    name = key.split("/")[1] + ".shred"
    assert (replicas[0] / name).read_bytes() == (replicas[1] / name).read_bytes()
    assert "is away" not in own.tool("doctor", *mounted, check=False).stdout

    away = own.data / "vault-b.away"
    replicas[1].rename(away)
    replicas[1].mkdir()
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == SECRET
    assert code(kms.create_key) == "KMSInternalException"
    assert list(replicas[1].iterdir()) == []
    assert f"{replicas[1]} is away" in own.tool("doctor", *mounted, check=False).stdout
    replicas[1].rmdir()
    away.rename(replicas[1])
    (replicas[0] / name).unlink()
    # Opened material is kept for a moment; the next reading of the vault finds the gap.
    wait_for("the copy to be repaired",
             lambda: kms.decrypt(CiphertextBlob=blob)["Plaintext"] == SECRET and (replicas[0] / name).exists())
    kms.create_key()
    shown = json.loads(own.tool("admin", "vault", "show", "--json", *mounted).stdout)
    assert [(row["replica"], row["state"]) for row in shown] == [("1", "there"), ("2", "there")]

    # A new root key is mounted, not made.
    missing = own.tool("admin", "rotate-root-key", *mounted, check=False)
    assert missing.returncode != 0 and "made by whoever mounts them" in missing.stderr
    own.data.joinpath("root.key.2").write_bytes(os.urandom(32))
    own.data.joinpath("root.key.2").chmod(0o440)
    rotated, = json.loads(own.tool("admin", "rotate-root-key", "--json", *mounted).stdout)
    assert rotated["version"] == "2"
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == SECRET


def test_the_root_key_may_lie_in_a_kms_elsewhere(own, cluster, kms):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    credentials = own.data.parent / f"{own.data.name}.kms.json"
    credentials.write_text(json.dumps({
        "AccessKeyId": cluster.env["AWS_ACCESS_KEY_ID"], "SecretAccessKey": cluster.env["AWS_SECRET_ACCESS_KEY"]}))
    credentials.chmod(0o600)
    elsewhere = (
        "--authority-root-key-source", "kms", "--authority-root-key-kms-key", key,
        "--authority-root-key-kms-endpoint", cluster.env["AWS_ENDPOINT_URL_KMS"],
        "--aws-ca-file", cluster.ca_bundle, "--authority-root-key-kms-credentials-file", str(credentials))
    own.flags += elsewhere
    try:
        inner = own.start().client("kms")
        blob = inner.encrypt(KeyId=inner.create_key()["KeyMetadata"]["Arn"], Plaintext=SECRET)["CiphertextBlob"]
        wrapped = (own.data / "root.key").read_bytes()
        root = kms.decrypt(CiphertextBlob=wrapped, EncryptionContext={
            "forecastle:purpose": "root-key", "forecastle:version": "1"})["Plaintext"]
        assert len(root) == 32 and root not in wrapped
        assert code(kms.decrypt, CiphertextBlob=wrapped) == "InvalidCiphertextException"
        rotated, = json.loads(own.tool("admin", "rotate-root-key", "--json", *elsewhere).stdout)
        assert rotated["version"] == "2" and (own.data / "root.key.2").read_bytes() != wrapped
        halt(own)
        # Whoever holds the other key decides whether this authority starts.
        kms.disable_key(KeyId=key)
        assert "is disabled" in refused(own)
        kms.enable_key(KeyId=key)
        assert own.start().client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == SECRET
    finally:
        credentials.unlink()


def test_secrets_of_the_authority_are_in_their_own_files_alone(cluster, kms):
    """Root key, shred secrets and secret access keys: not in PostgreSQL, logs, the broker or anything else."""
    kms.encrypt(KeyId=kms.create_key()["KeyMetadata"]["Arn"], Plaintext=SECRET)
    connection = (cluster.data / "postgres.conninfo").read_text().strip()
    subprocess.run(["psql", connection, "-qc", "CHECKPOINT"], check=True, capture_output=True)
    secrets = [(cluster.data / "root.key").read_bytes()]
    secrets += [file.read_bytes() for file in (cluster.data / "vault").glob("*.shred")][:62]
    texts = [json.loads(file.read_text())["SecretAccessKey"].encode()
             for file in (cluster.data / "credentials").glob("*.json")]
    needles = texts + [form for secret in secrets for form in (
        secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"="))]
    assert len(secrets) > 3 and len(texts) == 4
    own_files = [cluster.data / name for name in ("vault", "root.key", "credentials", "env")]
    searched = 0
    for file in cluster.data.rglob("*"):
        if not file.is_file() or any(file.is_relative_to(place) for place in own_files):
            continue
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue  # PostgreSQL recycles files meanwhile.
        searched += 1
        assert not [needle for needle in needles if needle in content], file
    assert searched > 100
