"""A cluster of the tests' own, and the official clients pointed at it."""
import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("FORECASTLE_BIN", ROOT / ".build" / "release"))
ACCOUNT = "123456789012"
REGION = "us-west-2"
SERVICES = ("forecast", "forecastquery", "kms", "sts", "iam", "cloudtrail")
FINAL = {"ACTIVE", "CREATE_FAILED", "CREATE_STOPPED"}


def wait_for(what, probe, seconds=300.0, every=0.1):
    """Waits, however busy the machine, until `probe` returns something true and returns it; says what it waited for when it gives up."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(every)


class Cluster:
    """`forecastle up` in a folder of its own."""

    def __init__(self, name, *flags):
        self.data = Path(f"/var/tmp/forecastle-{os.getuid()}/{name}.{os.getpid()}")
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True)
        self.flags = flags
        self.process = None

    def start(self):
        log = open(self.data / "up.log", "ab")
        self.process = subprocess.Popen(
            [BIN / "forecastle", "up", "--data", self.data, *self.flags],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def ready():
            if self.process.poll() is not None:
                raise AssertionError("the cluster ended:\n" + (self.data / "up.log").read_text()[-4000:])
            return (self.data / "ready").exists()

        wait_for("the cluster to be ready", ready)
        self.env = {}
        for line in (self.data / "env").read_text().splitlines():
            if line.startswith("export "):
                line = line[len("export "):]
            if "=" in line and not line.startswith("#"):
                key, value = line.split("=", 1)
                self.env[key] = value.strip("'\"")
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=180)
        if not os.environ.get("FORECASTLE_KEEP"):
            shutil.rmtree(self.data, ignore_errors=True)

    @property
    def buckets(self):
        return Path(self.env["FORECASTLE_BUCKETS"])

    @property
    def ca_bundle(self):
        """What a client of this cluster has to believe, as boto3 takes it."""
        return self.env.get("AWS_CA_BUNDLE")

    def urlopen(self, request):
        """What urllib answers, believing this cluster alone."""
        return urllib.request.urlopen(request, context=ssl.create_default_context(cafile=self.ca_bundle))

    def client(self, service, credentials=None, **config):
        credentials = credentials or {
            "aws_access_key_id": self.env["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.env["AWS_SECRET_ACCESS_KEY"],
        }
        return boto3.session.Session().client(
            service, region_name=REGION, endpoint_url=self.env[f"AWS_ENDPOINT_URL_{service.upper()}"], verify=self.ca_bundle,
            config=Config(retries={"max_attempts": 4}, **config), **credentials)

    def cli(self, *arguments, check=True):
        """The aws command of the same virtual environment, unmodified, with the cluster's env file."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.data), **self.env}
        result = subprocess.run(
            [Path(os.sys.executable).parent / "aws", *arguments, "--output", "json"],
            env=environment, capture_output=True, text=True)
        if check:
            assert result.returncode == 0, result.stderr
            return json.loads(result.stdout) if result.stdout.strip() else None
        return result

    def tool(self, *arguments, check=True):
        """A tool of Forecastle's own, with the cluster's configuration."""
        result = subprocess.run(
            [BIN / "forecastle", *arguments, "--config", self.data / "forecastle.yaml"],
            capture_output=True, text=True)
        if check:
            assert result.returncode == 0, result.stderr + result.stdout
        return result

    def sql(self, database, statement):
        """Rows of one column, as text, of the `jobs` or the `authority` database: what somebody with its password sees and does."""
        connection = f"host={self.data}/run port=5432 user=forecastle_{database} dbname=forecastle_{database}"
        result = subprocess.run(["psql", connection, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement],
                                capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout.splitlines()

    def processes(self, role):
        """Process ids of a role of this cluster."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().split(b"\0")
                if len(command) > 1 and command[0].endswith(b"forecastle") and command[1] == role.encode() \
                        and str(self.data / "forecastle.yaml").encode() in command:
                    found.append(int(entry.name))
        return found


@pytest.fixture(scope="session")
def cluster():
    # These tests call faster than any customer; test_quotas.py has a cluster with the defaults.
    cluster = Cluster("clients", "--workers", "2", "--authority-quota-percent", "0")
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def plain_authority():
    """An authority without TLS, for those who speak to its socket themselves."""
    cluster = Cluster("plain", "--no-tls", "--only", "authority", "--authority-quota-percent", "0")
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def clients(cluster):
    return {service: cluster.client(service) for service in SERVICES}


@pytest.fixture(scope="session")
def forecast(clients):
    return clients["forecast"]


@pytest.fixture(scope="session")
def kms(clients):
    return clients["kms"]


@pytest.fixture
def name():
    """A name that nothing else has."""
    return "t" + uuid.uuid4().hex[:12]


@pytest.fixture(scope="session")
def bucket(cluster):
    (cluster.buckets / "customer").mkdir(exist_ok=True)
    return "customer"


def trust_policy(account=ACCOUNT):
    return {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "forecast.amazonaws.com"}, "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": f"arn:aws:forecast:{REGION}:{account}:*"},
            },
        }],
    }


def key_policy(role, account=ACCOUNT, region=REGION):
    """The statements of the documents' example, quotes and braces mended, placeholders filled."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Allow access to principals authorized to use Amazon Forecast", "Effect": "Allow",
                "Principal": {"AWS": role},
                "Action": ["kms:DescribeKey", "kms:CreateGrant", "kms:RetireGrant"], "Resource": "*",
                "Condition": {"StringEquals": {
                    "kms:ViaService": f"forecast.{region}.amazonaws.com", "kms:CallerAccount": account}},
            },
            {
                "Sid": "Allow access for key administrators", "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": ["kms:*"], "Resource": "*",
            },
        ],
    }


class Customer:
    """Roles, keys and jobs of the customer's account."""

    def __init__(self, cluster, clients, bucket):
        self.cluster, self.bucket = cluster, bucket
        self.forecast, self.kms = clients["forecast"], clients["kms"]
        self.query, self.trail = clients["forecastquery"], clients["cloudtrail"]

    def role(self, name, policy=None, trust=None):
        folder = self.cluster.data / "policies"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.trust.json").write_text(json.dumps(trust or trust_policy()))
        self.cluster.tool("admin", "role", "create", name, "--account", ACCOUNT,
                          "--trust", str(folder / f"{name}.trust.json"))
        self.put_role_policy(name, policy or self.s3_policy())
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def put_role_policy(self, role, policy):
        path = self.cluster.data / "policies" / f"{role}.json"
        path.write_text(json.dumps(policy))
        self.cluster.tool("admin", "policy", "put", "access", "--account", ACCOUNT, "--role", role,
                          "--document", str(path))

    def user(self, name, policy=None):
        """A user of the customer's account and a client's credentials for it."""
        folder = self.cluster.data / "policies"
        folder.mkdir(exist_ok=True)
        self.cluster.tool("admin", "user", "create", name, "--account", ACCOUNT)
        if policy:
            (folder / f"{name}.json").write_text(json.dumps(policy))
            self.cluster.tool("admin", "policy", "put", "access", "--account", ACCOUNT, "--user", name,
                              "--document", str(folder / f"{name}.json"))
        key = folder / f"{name}.key.json"
        self.cluster.tool("admin", "access-key", "create", "--account", ACCOUNT, "--user", name, "--output", str(key))
        assert key.stat().st_mode & 0o077 == 0
        made = json.loads(key.read_text())
        return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

    def s3_policy(self):
        return {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "s3:PutObject"],
            "Resource": [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"]}]}

    def key(self, role):
        return self.kms.create_key(Policy=json.dumps(key_policy(role)))["KeyMetadata"]["Arn"]

    def put(self, path, text):
        target = self.cluster.buckets / self.bucket / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        return f"s3://{self.bucket}/{path}"

    def dataset(self, name, key=None, role=None, frequency="M"):
        encryption = {"EncryptionConfig": {"KMSKeyArn": key, "RoleArn": role}} if key else {}
        return self.forecast.create_dataset(
            DatasetName=name, Domain="CUSTOM", DatasetType="TARGET_TIME_SERIES", DataFrequency=frequency,
            Schema={"Attributes": [
                {"AttributeName": "item_id", "AttributeType": "string"},
                {"AttributeName": "timestamp", "AttributeType": "timestamp"},
                {"AttributeName": "target_value", "AttributeType": "float"}]}, **encryption)["DatasetArn"]

    def import_(self, name, dataset, path, role):
        return self.forecast.create_dataset_import_job(
            DatasetImportJobName=name, DatasetArn=dataset,
            DataSource={"S3Config": {"Path": path, "RoleArn": role}},
            TimestampFormat="yyyy-MM-dd HH:mm:ss")["DatasetImportJobArn"]

    def wait(self, arn, *statuses, seconds=300):
        describe = self.describer(arn)
        statuses = set(statuses) or FINAL

        def reached():
            answer = describe()
            return answer if answer["Status"] in statuses else None

        return wait_for(f"{arn} to be one of {sorted(statuses)}", reached, seconds)

    def describer(self, arn):
        kind = arn.split(":")[5].split("/")[0]
        f = self.forecast
        if kind == "predictor":
            if "_01" in arn:
                return lambda: f.describe_auto_predictor(PredictorArn=arn)
            return lambda: f.describe_predictor(PredictorArn=arn)
        call, member = {
            "dataset-import-job": (f.describe_dataset_import_job, "DatasetImportJobArn"),
            "forecast": (f.describe_forecast, "ForecastArn"),
            "forecast-export-job": (f.describe_forecast_export_job, "ForecastExportJobArn"),
            "predictor-backtest-export-job": (
                f.describe_predictor_backtest_export_job, "PredictorBacktestExportJobArn"),
        }[kind]
        return lambda: call(**{member: arn})

    def grants(self, key):
        return [grant for page in self.kms.get_paginator("list_grants").paginate(KeyId=key)
                for grant in page["Grants"]]

    def job_grants(self, key):
        return [grant for grant in self.grants(key) if grant.get("Name", "").startswith("job/")]

    def events(self, name=None, **attributes):
        """Trail records, oldest first."""
        lookup = [{"AttributeKey": "EventName", "AttributeValue": name}] if name else []
        pages = self.trail.get_paginator("lookup_events").paginate(LookupAttributes=lookup)
        records = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
        return list(reversed(records))

    def assert_no_grant_left(self, key):
        """What whoever sees a terminal state may rely on, and the pairs in the trail."""
        assert self.job_grants(key) == []
        created = [e for e in self.events("CreateGrant")
                   if e.get("responseElements") and e["resources"][0]["ARN"] == key
                   and e["requestParameters"]["name"].startswith("job/")]
        retired = {e["additionalEventData"]["grantId"] for e in self.events("RetireGrant") if not e.get("errorCode")}
        assert created, "no CreateGrant on this key is in the trail"
        for event in created:
            assert event["responseElements"]["grantId"] in retired


@pytest.fixture(scope="session")
def customer(cluster, clients, bucket):
    return Customer(cluster, clients, bucket)


def monthly_csv(items=3, months=72, canary=""):
    """Seasonal series that end in 2020-12."""
    rows = []
    for item in range(items):
        for month in range(months):
            year, of_year = divmod(2021 * 12 - months + month, 12)
            value = 100 + 10 * item + month * 0.5 + 20 * ((of_year % 12) / 11)
            rows.append(f"item{item}{canary},{year:04d}-{of_year + 1:02d}-01 00:00:00,{value:.2f}")
    return "\n".join(rows) + "\n"
