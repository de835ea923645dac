"""`forecastle audit` and the trail under attack: what a superuser, a bad disk and an old backup do to it is found."""
import gzip
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import botocore.exceptions
import pytest
from conftest import ACCOUNT, BIN, REGION, Cluster, wait_for

ALTERED, INCOMPLETE = 2, 3
POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1] if Path("/usr/lib/postgresql").exists() else None


class Trail(Cluster):
    """A cluster whose database can be stopped, looked at and put back."""

    def pause(self):
        """Stops everything and keeps the data."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=180)

    def start_postgres(self):
        """The database alone: the authority may well refuse what is done to it here."""
        log = open(self.data / "up.log", "ab")
        self.process = subprocess.Popen(
            [BIN / "forecastle", "up", "--data", self.data, "--only", "postgres", *self.flags],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("the database", lambda: (self.data / "ready").exists() or self.process.poll() is not None)
        assert self.process.poll() is None, (self.data / "up.log").read_text()[-4000:]

    def sql(self, text):
        """As the database's superuser."""
        result = subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.data / "run", "-U", "postgres", "-d", "forecastle_authority",
             "-c", text], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def unguarded(self, text):
        return self.sql(
            "ALTER TABLE audit_records DISABLE TRIGGER USER; ALTER TABLE audit_shards DISABLE TRIGGER USER;"
            f"{text}; ALTER TABLE audit_records ENABLE TRIGGER USER; ALTER TABLE audit_shards ENABLE TRIGGER USER")

    def verify(self, *arguments):
        result = self.tool("audit", "verify", "--json", *arguments, check=False)
        assert result.returncode in (0, ALTERED, INCOMPLETE), result.stderr
        report = json.loads(result.stdout)
        assert report["intact"] == (result.returncode != ALTERED)
        return report

    def findings(self):
        return {finding["kind"] for finding in self.verify()["findings"]}

    def exported(self):
        """Waits until every record of now is covered by a head outside."""
        sequences = dict(line.split("|") for line in self.sql("SELECT shard, sequence FROM audit_shards").splitlines())

        def covered():
            newest = {}
            for file in (self.data / "audit-heads").iterdir():
                for line in file.read_text().splitlines():
                    if not line.endswith("}"):
                        continue
                    for shard, sequence, _ in json.loads(line)["heads"]:
                        newest[shard] = max(newest.get(shard, 0), sequence)
            return all(newest.get(shard, -1) >= int(sequence) for shard, sequence in sequences.items())

        wait_for("heads to be exported", covered)


@pytest.fixture(scope="module")
def trail():
    cluster = Trail("audit", "--workers", "1")
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture
def own():
    """A cluster that the test may ruin."""
    clusters = []

    def make(name, *flags):
        cluster = Trail(name, "--workers", "1", *flags)
        clusters.append(cluster)
        return cluster.start()

    yield make
    for cluster in clusters:
        cluster.stop()


def some_events(cluster, count=20):
    kms = cluster.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    for number in range(count):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"marker": f"m{number:04d}"})
    return key


def test_verify_walks_every_shard(trail):
    some_events(trail)
    trail.exported()
    report = trail.verify()
    assert report["intact"] and report["findings"] == [] and report["exports"] >= 1
    assert report["records"] >= int(trail.sql("SELECT 21"))
    assert report["shards"] == int(trail.sql("SELECT count(*) FROM audit_shards"))
    text = trail.tool("audit", "verify")
    assert text.stdout.splitlines()[-1] == "intact"
    alone = trail.tool("audit", "verify", "--without-heads", check=False)
    assert alone.returncode == INCOMPLETE and "exported heads were not looked at" in alone.stdout


def test_verify_says_when_the_database_is_away(trail):
    result = subprocess.run(
        [BIN / "forecastle", "audit", "verify", "--config", trail.data / "forecastle.yaml",
         "--authority-postgres", "host=/nowhere dbname=none"], capture_output=True, text=True)
    assert result.returncode == 69 and "Error" in result.stderr


def test_doctor_shows_the_trail(trail):
    trail.exported()
    text = trail.tool("doctor").stdout
    assert "audit trail" in text and "exported heads" in text and "found by the server's checksums" in text


def test_tail_shows_and_follows(trail):
    key = some_events(trail, 3)
    shown = trail.tool("audit", "tail", "--no-follow", "--last", "50", "--resource", key, "--json").stdout
    records = [json.loads(line) for line in shown.splitlines()]
    assert [r["eventName"] for r in records] == ["CreateKey"] + ["GenerateDataKey"] * 3
    table = trail.tool("audit", "tail", "--no-follow", "--last", "50", "--event", "CreateKey", "--service", "kms").stdout
    assert table.splitlines()[0].startswith("time") and key.split(":")[-1] in table
    assert "GenerateDataKey" not in table

    follower = subprocess.Popen(
        [BIN / "forecastle", "audit", "tail", "--config", trail.data / "forecastle.yaml", "--last", "0", "--limit", "2",
         "--failed", "--account", ACCOUNT, "--json"], stdout=subprocess.PIPE, text=True)
    try:
        kms = trail.client("kms")
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(follower.stdout.readlines()))
        reader.start()

        def ended():
            # It begins to follow at some moment: go on until it has seen its two.
            with pytest.raises(botocore.exceptions.ClientError):
                kms.describe_key(KeyId="00000000-0000-0000-0000-000000000000")
            kms.describe_key(KeyId=key)
            return follower.poll() is not None

        wait_for("the follower to see two failures", ended)
        reader.join()
    finally:
        follower.kill()
    assert follower.returncode == 0 and len(seen) == 2
    assert all(json.loads(line)["errorCode"] and json.loads(line)["eventName"] == "DescribeKey" for line in seen)


def test_export_writes_cloudtrails_files(trail, tmp_path):
    key = some_events(trail, 5)
    output = tmp_path / "logs"
    told = json.loads(trail.tool("audit", "export", "--output", output, "--prefix", "a/b", "--json").stdout)
    files = sorted(output.rglob("*.json.gz"))
    assert len(files) == told["files"] and files
    names, found = set(), []
    for file in files:
        account, kind, region, year, month, day = file.relative_to(output / "a/b/AWSLogs").parts[:-1]
        assert kind == "CloudTrail" and region == REGION
        prefix = f"{account}_CloudTrail_{region}_{year}{month}{day}T"
        assert file.name.startswith(prefix) and len(file.name) == len(prefix) + len("1905Z_0123456789abcdef.json.gz")
        records = json.loads(gzip.decompress(file.read_bytes()))["Records"]
        assert records and all(r["recipientAccountId"] == account and r["awsRegion"] == region for r in records)
        assert all(r["eventTime"].startswith(f"{year}-{month}-{day}") for r in records)
        names.add(file.name)
        found += records
    assert len(found) == told["records"] and len({r["eventID"] for r in found}) == len(found)
    of_key = [r for r in found if any(resource["ARN"] == key for resource in r["resources"])]
    pages = trail.client("cloudtrail").get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": key}])
    looked_up = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    assert sorted(r["eventID"] for r in of_key) == sorted(r["eventID"] for r in looked_up)
    assert {json.dumps(r) for r in looked_up} == {json.dumps(r) for r in of_key}

    # By account and range; the same range again gives the same files.
    first = of_key[0]["eventTime"]
    for folder in ("one", "two", "two"):
        trail.tool("audit", "export", "--output", tmp_path / folder, "--account", ACCOUNT, "--to", first)
    one, two = (sorted(f.name for f in (tmp_path / folder).rglob("*.gz")) for folder in ("one", "two"))
    assert one == two
    for file in (tmp_path / "one").rglob("*.gz"):
        for record in json.loads(gzip.decompress(file.read_bytes()))["Records"]:
            assert record["eventTime"] < first and record["recipientAccountId"] == ACCOUNT
    none = json.loads(trail.tool(
        "audit", "export", "--output", tmp_path / "none", "--from", "2099-01-01", "--json").stdout)
    assert none["records"] == 0 and not (tmp_path / "none").exists()


def test_the_window_under_load(trail):
    """What docs/audittrail.md states; printed with -s."""
    key = trail.client("kms").create_key()["KeyMetadata"]["Arn"]
    def load():
        kms = trail.client("kms")
        for _ in range(100):
            kms.generate_data_key(KeyId=key, KeySpec="AES_256")

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trail.exported()
    window = json.loads(trail.tool("audit", "window", "--json", "--records", "800").stdout)
    print(window)
    assert window["records"] >= 800
    # Less than the bound at which the authority stops answering, by far.
    assert 0 <= window["p50Seconds"] <= window["p99Seconds"] <= window["longestSeconds"] < 60
    assert "longest" in trail.tool("audit", "window").stdout


@pytest.fixture
def small_disk():
    """A cluster whose heads go to a file system of 128 KiB."""
    cluster = Trail("stale", "--workers", "1", "--audit-heads-stale-s", "2", "--audit-heads-interval-ms", "200")
    heads = cluster.data / "audit-heads"
    heads.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", heads], capture_output=True)
    if mounted.returncode:
        shutil.rmtree(cluster.data)
        pytest.skip("needs the right to mount a file system")
    try:
        yield cluster.start(), heads
    finally:
        cluster.pause()
        subprocess.run(["umount", heads], check=True)
        cluster.stop()


def test_a_full_disk_for_heads_ends_the_answers(small_disk):
    """Fault 47 for the heads: no export within the bound, no answer, and no torn file that verification would stumble over."""
    cluster, heads = small_disk
    kms = cluster.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(OSError):
        with open(heads / "filler", "wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 512)

    def refused():
        try:
            kms.describe_key(KeyId=key)
        except botocore.exceptions.ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
        return False

    wait_for("the answers to end", refused)
    before = cluster.sql("SELECT count(*) FROM audit_records")
    assert refused() and cluster.sql("SELECT count(*) FROM audit_records") == before
    assert "heads of the audit trail cannot be exported" in (cluster.data / "logs" / "authority.log").read_text()
    (heads / "filler").unlink()
    wait_for("answers again", lambda: not refused())
    cluster.exported()
    report = cluster.verify()
    assert report["intact"], report


# Faults 23 and 24

@contextlib.contextmanager
def halted(cluster, *roles):
    processes = [pid for role in roles for pid in cluster.processes(role)]
    assert processes
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def test_fault_24_what_a_superuser_edits_deletes_or_reorders_is_named(own):
    cluster = own("edited")
    some_events(cluster)
    # Their own calls would add records between what is kept and what is put back.
    with halted(cluster, "worker", "api"):
        cluster.exported()
        edited_trail_is_named(cluster)


def edited_trail_is_named(cluster):
    with pytest.raises(AssertionError, match="append only"):
        cluster.sql("DELETE FROM audit_records")
    shard, last = cluster.sql(
        "SELECT shard, max(sequence) FROM audit_records WHERE event_name = 'GenerateDataKey' GROUP BY shard").split("|")
    assert int(last) > 15
    at = f"WHERE shard = '{shard}' AND sequence"
    cluster.sql("CREATE TABLE kept AS TABLE audit_records")
    restore = (
        "TRUNCATE audit_records; INSERT INTO audit_records OVERRIDING SYSTEM VALUE SELECT * FROM kept")
    alterations = [
        (f"UPDATE audit_records SET record = replace(record, 'us-west-2', 'us-west-3') {at} = 5", "edited", 5),
        (f"UPDATE audit_records SET account = '000000000000' {at} = 6", "columns-differ", 6),
        (f"DELETE FROM audit_records {at} = 7", "missing", 7),
        (f"UPDATE audit_records SET sequence = 99999 {at} = 8; UPDATE audit_records SET sequence = 8 {at} = 9;"
         f"UPDATE audit_records SET sequence = 9 {at} = 99999", "displaced", 8),
        (f"DELETE FROM audit_records {at} > 10", "tail-missing", 11),
    ]
    for statement, kind, sequence in alterations:
        cluster.unguarded(statement)
        report = cluster.verify()
        first = [f for f in report["findings"] if f["shard"] == shard]
        assert [(f["kind"], f["sequence"]) for f in first] == [(kind, sequence)], report
        text = cluster.tool("audit", "verify", check=False)
        assert text.returncode == ALTERED and f"shard {shard}, record {sequence}" in text.stdout
        cluster.unguarded(restore)
    assert cluster.verify()["intact"]

    # What leaves the chains alone whole is found by the heads outside.
    cluster.sql("CREATE TABLE kept_heads AS TABLE audit_shards")
    cluster.unguarded(
        f"DELETE FROM audit_records {at} > 10; UPDATE audit_shards SET sequence = 10,"
        f"hash = (SELECT hash FROM audit_records {at} = 10) WHERE shard = '{shard}'")
    assert cluster.verify("--without-heads")["intact"]
    # The first of the exported heads beyond the tenth record; which were exported is the exporter's pace.
    [behind] = cluster.verify()["findings"]
    assert behind["kind"] == "behind-export" and behind["sequence"] > 10, behind
    cluster.unguarded(f"DELETE FROM audit_records WHERE shard = '{shard}'; DELETE FROM audit_shards WHERE shard = '{shard}'")
    assert cluster.verify("--without-heads")["intact"]
    assert [(f["kind"], f["shard"]) for f in cluster.verify()["findings"]] == [("shard-removed", shard)]
    # The authority whose shard is gone answers nothing any more.
    with pytest.raises(botocore.exceptions.ClientError) as error:
        cluster.client("kms").list_keys()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


def test_fault_24_yesterdays_backup_is_found(own):
    cluster = own("rolledback")
    some_events(cluster, 5)
    cluster.exported()
    cluster.pause()
    backup = cluster.data / "backup"
    subprocess.run(["cp", "-a", cluster.data / "postgres", backup], check=True)
    cluster.start()
    some_events(cluster, 5)
    cluster.exported()
    assert cluster.verify()["intact"]
    cluster.pause()
    shutil.rmtree(cluster.data / "postgres")
    backup.rename(cluster.data / "postgres")
    cluster.start_postgres()
    assert cluster.verify("--without-heads")["intact"]
    report = cluster.verify()
    assert {finding["kind"] for finding in report["findings"]} == {"shard-removed"} and report["rolledBackTo"]
    text = cluster.tool("audit", "verify", check=False)
    assert "old backup" in text.stdout
    doctor = cluster.tool("doctor", check=False)
    assert doctor.returncode == 1 and "the database lacks" in doctor.stdout
    cluster.tool("audit", "accept-loss", "--yes")
    accepted = cluster.verify()
    assert accepted["intact"] and accepted["acceptedLosses"]


def flip_a_bit(cluster, marker):
    """In the record that holds the marker, in the file of the table, while nobody has it open."""
    number = cluster.table
    for file in [cluster.data / "postgres" / number]:
        content = bytearray(file.read_bytes())
        place = content.find(marker)
        assert place > 0, "the record is not in the table's file"
        content[place] ^= 1
        file.write_bytes(content)


@pytest.mark.skipif(POSTGRES is None, reason="the server's tools are not where they are looked for")
def test_fault_23_a_flipped_bit_of_a_page_is_found(own):
    cluster = own("flipped", "--authority-quota-percent", "0")
    some_events(cluster)
    cluster.exported()
    cluster.sql("CHECKPOINT")
    cluster.table = cluster.sql("SELECT pg_relation_filepath('audit_records')")
    cluster.pause()
    flip_a_bit(cluster, b'"marker":"m0010"')
    # The server's checksums find it: an error, and no wrong data.
    cluster.start()
    trail = cluster.client("cloudtrail")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        list(trail.get_paginator("lookup_events").paginate())
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
    assert "SELECT" not in str(error.value) and "page" not in str(error.value)
    assert cluster.findings() == {"unreadable"}
    cluster.pause()
    # Without them the chain does.
    user = [] if os.geteuid() else ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    subprocess.run(
        [*user, POSTGRES / "pg_checksums", "--disable", "-D", cluster.data / "postgres"], check=True, cwd="/",
        stdout=subprocess.DEVNULL)
    cluster.start_postgres()
    assert cluster.findings() == {"edited"}


def test_a_server_that_may_forget_is_refused(own):
    cluster = own("unsafe")
    cluster.pause()
    cluster.flags = (*cluster.flags, "--throwaway")
    cluster.start_postgres()
    result = cluster.tool("authority", check=False)
    assert result.returncode != 0
    said = result.stderr + result.stdout
    assert "fsync" in said and "postgres.allow_unsafe" in said
    doctor = cluster.tool("doctor", check=False)
    assert doctor.returncode == 1 and "fsync off" in doctor.stdout and "full_page_writes off" in doctor.stdout
    allowed = cluster.tool("doctor", "--postgres-allow-unsafe", "true", check=False)
    assert "fsync off" not in allowed.stdout
