"""Calls beyond AWS's default quotas, as boto3 sees them, on a cluster that has the defaults."""
import concurrent.futures
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import REGION, SERVICES, Cluster, Customer, monthly_csv


@pytest.fixture(scope="module")
def limited():
    cluster = Cluster("quotas", "--workers", "1")
    try:
        yield cluster.start()
    finally:
        cluster.stop()


def client(cluster, service, attempts):
    return boto3.session.Session().client(
        service, region_name=REGION, endpoint_url=cluster.env[f"AWS_ENDPOINT_URL_{service.upper()}"], verify=cluster.ca_bundle,
        aws_access_key_id=cluster.env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=cluster.env["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": attempts}))


def codes(call, times):
    """The codes of calls made sixteen at a time; empty for those that came through."""
    def one(_):
        try:
            call()
            return ""
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
            return error.response["Error"]["Code"]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return list(pool.map(one, range(times)))


def test_beyond_the_quota_is_throttling(limited):
    """DescribeKey may be called 2,000 times a second, DisableKey 5 times and LookupEvents twice."""
    kms = client(limited, "kms", 1)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    found = codes(lambda: kms.disable_key(KeyId=key), 60)
    assert set(found) == {"", "ThrottlingException"} and found.count("") >= 5
    assert codes(lambda: kms.describe_key(KeyId=key), 20) == [""] * 20
    trail = client(limited, "cloudtrail", 1)
    assert "ThrottlingException" in codes(lambda: trail.lookup_events(MaxResults=1), 30)


def test_botos_own_retries_come_through(limited):
    """As at AWS: a client with the usual retries sees none of it."""
    kms = client(limited, "kms", 5)
    for _ in range(8):
        kms.create_key()


def test_a_throttled_call_is_in_the_trail_but_not_each_one(limited):
    trail = client(limited, "cloudtrail", 8)
    events = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "DisableKey"}], MaxResults=50)["Events"]
    throttled = [event for event in events if '"errorCode":"ThrottlingException"' in event["CloudTrailEvent"].replace(" ", "")]
    assert 1 <= len(throttled) < 40


def test_a_job_runs_while_its_customer_is_throttled(limited):
    (limited.buckets / "customer").mkdir(exist_ok=True)
    customer = Customer(limited, {service: client(limited, service, 8) for service in SERVICES}, "customer")
    role = customer.role("busy")
    key = customer.key(role)
    dataset = customer.dataset("busy", key, role)
    path = customer.put("busy/history.csv", monthly_csv())
    kms = client(limited, "kms", 1)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    ended, found = threading.Event(), []

    def hurry():
        while not ended.is_set():
            found.extend(codes(lambda: kms.disable_key(KeyId=other), 16))

    hurrying = threading.Thread(target=hurry)
    hurrying.start()
    try:
        assert customer.wait(customer.import_("busy", dataset, path, role))["Status"] == "ACTIVE"
    finally:
        ended.set()
        hurrying.join()
    assert "ThrottlingException" in found
