"""The main job with artifacts and customers' buckets in an S3 that verifies every signature: nothing is in directories. It speaks
TLS, with a certificate of an authority that only the settings name."""
import json
import os
import re
import subprocess

import pytest
from conftest import BIN, ROOT, Cluster, Customer, monthly_csv, wait_for
from s3_server import STRANGER_KEY, STRANGER_SECRET, NotInstallable, S3Server
from test_encryption_sdk import SDK, kms_keyring

ARTIFACTS, BUCKET, FOLDER = "forecastle-artifacts", "customer-data", "tenant/one/"
CANARY = "canary-of-s3"


class S3Customer(Customer):
    """A customer whose files are in the S3."""

    def __init__(self, cluster, s3):
        clients = {name: cluster.client(name) for name in ("forecast", "forecastquery", "kms", "cloudtrail")}
        super().__init__(cluster, clients, BUCKET)
        self.s3 = s3

    def put(self, path, text):
        self.s3.put_object(Bucket=BUCKET, Key=path, Body=text.encode())
        return f"s3://{BUCKET}/{path}"


def key_file(cluster, name, access_key, secret_key):
    path = cluster.data / name
    path.touch(mode=0o600)
    path.write_text(json.dumps({"AccessKeyId": access_key, "SecretAccessKey": secret_key}))
    return str(path)


def authority(folder):
    """A certificate authority of its own, and the certificate of an S3 server; gives the authority's file."""
    for arguments in (["authority"], ["issue", "s3", "--name", "127.0.0.1"]):
        subprocess.run([BIN / "forecastle", "admin", "certificates", *arguments, "--directory", folder], check=True,
                       capture_output=True)
    return str(folder / "ca.pem")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    return authority(tmp_path_factory.mktemp("foreign"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    tls = tmp_path_factory.mktemp("s3-tls")
    trusted = authority(tls)
    try:
        server = S3Server(tmp_path_factory.mktemp("s3"), tls=(tls / "s3.pem", tls / "s3.key", trusted))
    except NotInstallable as reason:
        pytest.skip(str(reason))
    try:
        client = server.client()
        for bucket in (ARTIFACTS, BUCKET, "demo"):
            client.create_bucket(Bucket=bucket)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def s3(server):
    return server.client()


@pytest.fixture(scope="module")
def customer(server, s3):
    cluster = Cluster("s3")
    key = key_file(cluster, "s3-key.json", server.access_key, server.secret_key)
    cluster.settings = {
        "artifacts-s3-bucket": ARTIFACTS, "artifacts-s3-prefix": FOLDER, "artifacts-s3-endpoint": server.endpoint,
        "artifacts-s3-region": server.region, "artifacts-s3-credentials-file": key, "artifacts-s3-ca-file": server.tls[2],
        "buckets-s3-endpoint": server.endpoint, "buckets-s3-region": server.region, "buckets-s3-credentials": "file",
        "buckets-s3-credentials-file": key, "buckets-s3-ca-file": server.tls[2], "authority-quota-percent": "0"}
    cluster.flags = flags(cluster.settings)
    try:
        yield S3Customer(cluster.start(), s3)
    finally:
        cluster.stop()


def flags(settings):
    return tuple(word for name, value in settings.items() for word in (f"--{name}", value))


def tool(customer, *arguments, **changed):
    """With the settings of the cluster's own processes, but for those that are given."""
    settings = {**customer.cluster.settings, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return customer.cluster.tool(*arguments, *flags(settings), check=False)


@pytest.fixture(scope="module")
def finished(customer):
    role = customer.role("S3Role", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    key = customer.key(role)
    customer.put("data/first.csv", monthly_csv(canary="-" + CANARY))
    dataset = customer.dataset("s3_data", key, role)
    group = customer.forecast.create_dataset_group(
        DatasetGroupName="s3_group", Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    imported = customer.import_("first", dataset, f"s3://{BUCKET}/data/", role)
    described = customer.wait(imported)
    assert described["Status"] == "ACTIVE", described.get("Message")
    predictor = customer.forecast.create_auto_predictor(
        PredictorName="s3_predictor", ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]
    assert customer.wait(predictor)["Status"] == "ACTIVE"
    forecast = customer.forecast.create_forecast(ForecastName="s3_forecast", PredictorArn=predictor)["ForecastArn"]
    assert customer.wait(forecast)["Status"] == "ACTIVE"
    exports = {}
    for name, encryption in (("plain", {}), ("sealed", {"KMSKeyArn": key})):
        exports[name] = customer.forecast.create_forecast_export_job(
            ForecastExportJobName=name, ForecastArn=forecast, Destination={"S3Config": {
                "Path": f"s3://{BUCKET}/{name}", "RoleArn": role, **encryption}})["ForecastExportJobArn"]
    for arn in exports.values():
        described = customer.wait(arn)
        assert described["Status"] == "ACTIVE", described.get("Message")
    return dict(role=role, key=key, dataset=dataset, imported=imported, forecast=forecast, exports=exports)


def names(s3, bucket, prefix=""):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def objects(s3, bucket, prefix=""):
    return {name: s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names(s3, bucket, prefix)}


def test_artifacts_are_in_the_bucket_and_hold_no_plaintext(finished, customer, s3):
    stored = objects(s3, ARTIFACTS)
    assert len(stored) >= 6, "a manifest and a chunk each of import, predictor and forecast"
    assert all(name.startswith(FOLDER + "artifacts/") for name in stored)
    assert not any(CANARY.encode() in content for content in stored.values())
    assert not [path for path in (customer.cluster.data / "artifacts").rglob("*") if path.is_file()]
    answer = customer.query.query_forecast(ForecastArn=finished["forecast"], Filters={"item_id": f"item0-{CANARY}"})
    assert len(answer["Forecast"]["Predictions"]["p50"]) == 3


def test_the_sdk_opens_what_boto3_fetches(finished, customer, s3):
    opened = 0
    for message in objects(s3, ARTIFACTS).values():
        if finished["imported"].encode() not in message:
            continue
        plaintext, header = SDK.decrypt(source=message, keyring=kms_keyring(customer.kms, finished["key"]))
        assert header.encryption_context["forecastle:resource"] == finished["imported"]
        assert plaintext
        opened += 1
    assert opened >= 2, "a chunk and the manifest"


def test_exports_are_in_the_customers_bucket(finished, customer, s3):
    (plain,) = [text for name, text in objects(s3, BUCKET, "plain/").items() if name.endswith(".csv")]
    assert plain.decode().splitlines()[0] == "item_id,date,p10,p50,p90" and CANARY.encode() in plain
    ((name, message),) = objects(s3, BUCKET, "sealed/").items()
    assert name.endswith(".csv.encrypted") and CANARY.encode() not in message
    opened, header = SDK.decrypt(source=message, keyring=kms_keyring(customer.kms, finished["key"]))
    assert opened == plain
    assert header.encryption_context["forecastle:resource"] == finished["exports"]["sealed"]


def test_verify_looks_at_the_objects(finished, customer, s3):
    result = tool(customer, "verify", "--canary", CANARY)
    assert result.returncode == 0, result.stdout + result.stderr
    published = int(re.search(r"(\d+) published objects", result.stdout).group(1))
    assert published > 0
    victim = sorted(objects(s3, ARTIFACTS))[0]
    content = s3.get_object(Bucket=ARTIFACTS, Key=victim)["Body"].read()
    try:
        s3.put_object(Bucket=ARTIFACTS, Key=victim, Body=content[:-1] + bytes([content[-1] ^ 1]) + CANARY.encode())
        result = tool(customer, "verify", "--canary", CANARY)
        assert result.returncode != 0
        name = victim.removeprefix(FOLDER)
        assert f"{name} is not the object that PostgreSQL pins" in result.stdout
        assert f"{name} of the artifact store holds the canary" in result.stdout
    finally:
        s3.put_object(Bucket=ARTIFACTS, Key=victim, Body=content)


def test_doctor_tells_of_the_stores(finished, customer, server):
    result = tool(customer, "doctor")
    assert f"s3://{ARTIFACTS}/{FOLDER} at {server.endpoint}" in result.stdout
    assert "the store sees to it" in result.stdout
    assert "artifacts.s3" not in result.stdout.split("problems")[-1]
    stranger = key_file(customer.cluster, "stranger.json", STRANGER_KEY, STRANGER_SECRET)
    for changed, finding in (
            ({"artifacts_s3_bucket": "no-such-bucket"}, "there is no bucket no-such-bucket"),
            ({"artifacts_s3_credentials_file": stranger}, f"bucket {ARTIFACTS}: the store does not permit s3:ListBucket"),
            ({"artifacts_s3_endpoint": "https://127.0.0.1:1"}, f"bucket {ARTIFACTS}: the store does not answer")):
        result = tool(customer, "doctor", **changed)
        assert result.returncode == 1 and finding in result.stdout.split("problems")[-1], result.stdout


def test_doctor_tells_of_a_server_that_is_not_believed(finished, customer, server, foreign):
    assert "artifacts.s3.ca_file" in tool(customer, "doctor").stdout.split("tls\n")[1]
    # Of another authority; and with none named, the system's.
    for authorities in (foreign, ""):
        result = tool(customer, "doctor", artifacts_s3_ca_file=authorities)
        assert result.returncode == 1
        assert f"bucket {ARTIFACTS}: no TLS connection to the store: the server's certificate" in \
            result.stdout.split("problems")[-1], result.stdout
    result = tool(customer, "doctor", artifacts_s3_ca_file="/nowhere.pem")
    assert result.returncode == 1 and "/nowhere.pem" in result.stdout.split("problems")[-1]
    for place in ("artifacts", "buckets"):
        result = tool(customer, "doctor", **{f"{place}_s3_endpoint": f"http://127.0.0.1:{server.port}"})
        assert result.returncode != 0
        assert f"{place}.s3.ca_file is of no use where {place}.s3.endpoint is not https" in result.stderr


def demo(customer, *arguments, **changed):
    settings = {**customer.cluster.settings, **{name.replace("_", "-"): value for name, value in changed.items()}}
    # Without the folder that buckets may be in: these are not.
    environment = {**os.environ, **customer.cluster.env}
    del environment["FORECASTLE_BUCKETS"]
    return subprocess.run(
        [BIN / "forecastle", "demo", "--data", customer.cluster.data, "--series", ROOT / "deploy" / "series", *arguments,
         *flags(settings)], env=environment, capture_output=True, text=True)


def test_the_demo_puts_its_series_into_the_bucket(customer, s3):
    result = demo(customer, "--json")
    assert result.returncode == 0, result.stderr
    found = names(s3, "demo")
    assert [name for name in found if name.endswith("/history.csv")]
    assert [name for name in found if name.endswith(".encrypted")]


def test_a_bucket_at_a_server_that_is_not_believed_is_not_written(customer, s3, foreign):
    before = names(s3, "demo")
    result = demo(customer, buckets_s3_ca_file=foreign)
    assert result.returncode == 1
    assert "bucket demo: no TLS connection to the store" in result.stderr
    assert names(s3, "demo") == before


def test_what_the_bucket_has_against_a_job_is_said(finished, customer):
    for path, finding in ((f"s3://{BUCKET}/absent.csv", "there is no object at"),
                          ("s3://no-such-bucket/x.csv", "there is no bucket no-such-bucket")):
        arn = customer.import_(f"fails_{len(finding)}", finished["dataset"], path, finished["role"])
        failed = customer.wait(arn)
        assert failed["Status"] == "CREATE_FAILED" and finding in failed["Message"], failed.get("Message")


def test_a_deleted_artifacts_objects_are_collected(finished, customer, s3):
    before = names(s3, ARTIFACTS)
    for arn in finished["exports"].values():
        customer.forecast.delete_forecast_export_job(ForecastExportJobArn=arn)
    customer.forecast.delete_forecast(ForecastArn=finished["forecast"])
    # They wait for uploads that may still land; nobody here uploads any more.
    customer.cluster.sql("jobs", "UPDATE job_object SET collect_after = now() WHERE state = 'garbage'")
    wait_for("the forecast's objects to be collected", lambda: names(s3, ARTIFACTS) < before)


def test_both_a_directory_and_an_s3_are_refused(customer):
    result = tool(customer, "doctor", artifacts_directory="/tmp")
    assert result.returncode != 0
    assert "artifacts.directory and artifacts.s3.bucket must not both be set" in result.stderr
