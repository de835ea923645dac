"""CloudTrail through boto3 and the CLI: LookupEvents with every attribute, pages, ranges and errors, and what records hold."""
import base64
import datetime
import json
import random
import uuid

import botocore.exceptions
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from conftest import ACCOUNT, REGION, wait_for

# The members of the documented events, in their order; tlsDetails follows where the call came over TLS.
DOCUMENTED = [
    "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
    "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "resources", "eventType", "managementEvent",
    "recipientAccountId", "eventCategory"]
IDENTITY = ["type", "principalId", "arn", "accountId", "accessKeyId", "sessionContext"]
CONTEXT = ["sessionIssuer", "webIdFederationData", "attributes"]
ISSUER = ["type", "principalId", "arn", "accountId", "userName"]


@pytest.fixture(scope="module")
def trail(clients):
    return clients["cloudtrail"]


def lookup(trail, key, value, **more):
    return trail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)["Events"]


def records(trail, key, value):
    return [json.loads(event["CloudTrailEvent"]) for event in lookup(trail, key, value)]


def code(call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


@pytest.fixture(scope="module")
def key(kms):
    """A key with a few events of its own."""
    made = kms.create_key(Description="looked up")["KeyMetadata"]
    data = kms.generate_data_key(KeyId=made["Arn"], KeySpec="AES_256", EncryptionContext={"purpose": "test"})
    kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext={"purpose": "test"})
    return made


@pytest.fixture(scope="module")
def session(customer, key, cluster):
    """A session of a role that may use the key, as the documented events have one."""
    name = f"Admin{uuid.uuid4().hex[:8]}"
    role = customer.role(
        name,
        policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]},
        trust={"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}]})
    made = cluster.client("sts").assume_role(RoleArn=role, RoleSessionName="Sampleuser01")["Credentials"]
    return role, made, {
        "aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"],
        "aws_session_token": made["SessionToken"]}


def test_every_attribute_finds_the_event_and_nothing_else(trail, key):
    created, = [e for e in lookup(trail, "ResourceName", key["Arn"]) if e["EventName"] == "CreateKey"]
    record = json.loads(created["CloudTrailEvent"])
    assert record["eventID"] == created["EventId"]
    assert created["ReadOnly"] == "false" and created["EventSource"] == "kms.amazonaws.com"
    assert created["Username"] == "admin" and created["AccessKeyId"] == record["userIdentity"]["accessKeyId"]
    assert {(r["ResourceType"], r["ResourceName"]) for r in created["Resources"]} == {
        ("AWS::KMS::Key", key["Arn"]), ("AWS::KMS::Key", key["KeyId"])}
    member = {
        "EventId": lambda e: e["EventId"], "EventName": lambda e: e["EventName"], "ReadOnly": lambda e: e["ReadOnly"],
        "Username": lambda e: e.get("Username"), "EventSource": lambda e: e["EventSource"],
        "AccessKeyId": lambda e: e.get("AccessKeyId")}
    wanted = {
        "EventId": created["EventId"], "EventName": "CreateKey", "ReadOnly": "false", "Username": "admin",
        "ResourceType": "AWS::KMS::Key", "ResourceName": key["KeyId"], "EventSource": "kms.amazonaws.com",
        "AccessKeyId": created["AccessKeyId"]}
    for attribute, value in wanted.items():
        pages = trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": attribute, "AttributeValue": value}])
        found = [event for page in pages for event in page["Events"]]
        assert created["EventId"] in [event["EventId"] for event in found], attribute
        if attribute in member:
            assert {member[attribute](event) for event in found} == {value}, attribute
        else:
            part = attribute.removeprefix("Resource")
            assert all(value in [r[f"Resource{part}"] for r in event["Resources"]] for event in found), attribute
    assert len(lookup(trail, "EventId", created["EventId"])) == 1


@pytest.mark.parametrize("attribute, value", [
    ("EventId", "8c9f7d1e-7f7c-4c52-9d43-0d2f0c9d3b5a"), ("EventId", "no id"), ("EventName", "createkey"), ("ReadOnly", "False"), ("Username", "Admin"),
    ("ResourceType", "AWS::KMS::key"), ("ResourceName", "alias/none"), ("EventSource", "KMS.amazonaws.com"),
    ("AccessKeyId", "AKIAIOSFODNN7EXAMPLE")])
def test_values_are_compared_case_by_case(trail, key, attribute, value):
    assert lookup(trail, attribute, value) == []


def test_pages_meet_without_gap_newest_first(trail, kms, key):
    for _ in range(7):
        kms.describe_key(KeyId=key["KeyId"])
    attributes = [{"AttributeKey": "ResourceName", "AttributeValue": key["KeyId"]}]
    # Look-ups are events too, but touch no resource.
    whole = trail.lookup_events(LookupAttributes=attributes)["Events"]
    assert len(whole) >= 10
    pages = trail.get_paginator("lookup_events").paginate(
        LookupAttributes=attributes, PaginationConfig={"PageSize": 3})
    seen, sizes = [], []
    for page in pages:
        seen += page["Events"]
        sizes.append(len(page["Events"]))
    assert [e["EventId"] for e in seen] == [e["EventId"] for e in whole]
    assert all(size == 3 for size in sizes[:-1])
    assert [e["EventTime"] for e in seen] == sorted((e["EventTime"] for e in seen), reverse=True)


def test_ranges_are_inclusive_in_whole_seconds(trail, key):
    created, = [e for e in lookup(trail, "ResourceName", key["KeyId"]) if e["EventName"] == "CreateKey"]
    at, second = created["EventTime"], datetime.timedelta(seconds=1)
    wait_for("the second after the event", lambda: datetime.datetime.now(datetime.timezone.utc) > at + 2 * second)

    def found(**span):
        events = lookup(trail, "ResourceName", key["KeyId"], **span)
        return created["EventId"] in [e["EventId"] for e in events]

    assert found(StartTime=at, EndTime=at)
    assert not found(StartTime=at + second)
    assert not found(EndTime=at - second)
    assert found(StartTime=at - datetime.timedelta(days=400))


@pytest.mark.parametrize("arguments, error", [
    ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "a"}] * 2}, "InvalidLookupAttributesException"),
    ({"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "a"}]}, "InvalidLookupAttributesException"),
    ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "a" * 2001}]}, "InvalidLookupAttributesException"),
    ({"StartTime": 2_000_000_000, "EndTime": 1_999_999_999}, "InvalidTimeRangeException"),
    ({"EndTime": 1_000_000_000}, "InvalidTimeRangeException"),
    ({"MaxResults": 51}, "InvalidMaxResultsException"),
    ({"NextToken": "no token"}, "InvalidNextTokenException"),
    ({"EventCategory": "management"}, "InvalidEventCategoryException"),
])
def test_documented_errors_and_their_records(trail, arguments, error):
    assert code(trail.lookup_events, **arguments) == error
    newest = records(trail, "EventName", "LookupEvents")[0]
    assert newest["errorCode"] == error and newest["responseElements"] is None and newest["readOnly"] is True


def test_no_results_below_one(cluster):
    # The client itself refuses 0; the service must do so too.
    client = cluster.client("cloudtrail", parameter_validation=False)
    assert code(client.lookup_events, MaxResults=0) == "InvalidMaxResultsException"


def test_a_token_is_good_for_its_parameters_alone(trail, key):
    page = trail.lookup_events(MaxResults=1)
    assert trail.lookup_events(MaxResults=2, NextToken=page["NextToken"])["Events"]
    assert code(trail.lookup_events, NextToken=page["NextToken"], StartTime=1) == "InvalidNextTokenException"


def test_there_are_no_insights_events(trail):
    assert trail.lookup_events(EventCategory="insight")["Events"] == []


def test_the_cli_reads_the_same(cluster, key):
    events = cluster.cli(
        "cloudtrail", "lookup-events", "--lookup-attributes", f"AttributeKey=ResourceName,AttributeValue={key['Arn']}")["Events"]
    assert "CreateKey" in [event["EventName"] for event in events]


def test_the_three_documented_events(cluster, trail, key, session):
    role, made, credentials = session
    kms = cluster.client("kms", credentials)
    kms.describe_key(KeyId=key["Arn"])
    grant = kms.create_grant(
        KeyId=key["Arn"], GranteePrincipal=role, RetiringPrincipal=role, Operations=["Decrypt", "GenerateDataKey"])
    kms.retire_grant(KeyId=key["Arn"], GrantId=grant["GrantId"])
    by_name = {r["eventName"]: r for r in records(trail, "AccessKeyId", made["AccessKeyId"])}
    assert set(by_name) == {"DescribeKey", "CreateGrant", "RetireGrant"}
    for name, record in by_name.items():
        members = list(DOCUMENTED)
        if name == "RetireGrant":
            members.insert(members.index("requestID"), "additionalEventData")
        assert list(record) == members, name
        identity = record["userIdentity"]
        assert list(identity) == IDENTITY and identity["type"] == "AssumedRole"
        assert identity["arn"].endswith("/Sampleuser01") and identity["principalId"].endswith(":Sampleuser01")
        context = identity["sessionContext"]
        assert list(context) == CONTEXT and list(context["sessionIssuer"]) == ISSUER
        assert context["webIdFederationData"] == {} and list(context["attributes"]) == ["creationDate", "mfaAuthenticated"]
        assert context["attributes"]["mfaAuthenticated"] == "false"
        assert record["eventVersion"] == "1.08" and record["eventType"] == "AwsApiCall"
        assert record["managementEvent"] is True and record["eventCategory"] == "Management"
        assert record["recipientAccountId"] == ACCOUNT and record["awsRegion"] == REGION
        assert record["readOnly"] is (name == "DescribeKey")
        assert [list(r) for r in record["resources"]] == [["accountId", "type", "ARN"]]
        assert record["resources"][0] == {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}
        assert datetime.datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ")
    assert by_name["DescribeKey"]["requestParameters"] == {"keyId": key["Arn"]}
    assert by_name["DescribeKey"]["responseElements"] is None
    asked = by_name["CreateGrant"]["requestParameters"]
    assert list(asked)[:3] == ["operations", "granteePrincipal", "keyId"]
    assert asked["operations"] == ["Decrypt", "GenerateDataKey"] and asked["keyId"] == key["Arn"]
    assert by_name["CreateGrant"]["responseElements"]["grantId"] == grant["GrantId"]
    assert by_name["RetireGrant"]["requestParameters"] is None and by_name["RetireGrant"]["responseElements"] is None
    assert by_name["RetireGrant"]["additionalEventData"]["grantId"] == grant["GrantId"]
    assert grant["GrantToken"] not in json.dumps(list(by_name.values()))


def test_refusals_of_every_service_are_recorded(cluster, customer, trail, key, name):
    nobody = customer.user(name)
    calls = {
        "DescribeKey": lambda: cluster.client("kms", nobody).describe_key(KeyId=key["Arn"]),
        "AssumeRole": lambda: cluster.client("sts", nobody).assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="nobody"),
        "LookupEvents": lambda: cluster.client("cloudtrail", nobody).lookup_events(),
        "ListDatasets": lambda: cluster.client("forecast", nobody).list_datasets(),
    }
    for call in calls.values():
        assert code(call) in ("AccessDenied", "AccessDeniedException")
    found = {r["eventName"]: r for r in records(trail, "Username", name)}
    assert set(calls) <= set(found)
    for event in calls:
        assert found[event]["errorCode"] == "AccessDenied" and found[event]["responseElements"] is None
        assert found[event]["errorMessage"] and found[event]["userIdentity"]["type"] == "IAMUser"


def signed(cluster, credentials, service, target=None, body=b"{}", secret=None):
    """A call that no client would make."""
    endpoint = cluster.env[f"AWS_ENDPOINT_URL_{service.upper()}"]
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"} if target else {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest(method="POST", url=endpoint + "/", data=body, headers=headers)
    SigV4Auth(
        Credentials(credentials["aws_access_key_id"], secret or credentials["aws_secret_access_key"]), service, REGION
    ).add_auth(request)
    return URLLib3Session(verify=cluster.ca_bundle or True).send(request.prepare())


def test_calls_that_no_service_understands_are_recorded_too(cluster, customer, trail, name):
    user = customer.user(name)
    assert signed(cluster, user, "kms", "TrentService.MakeCoffee").status_code == 400
    assert signed(cluster, user, "kms", "TrentService.DescribeKey", b"{").status_code == 400
    assert signed(cluster, user, "cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StopLogging").status_code == 400
    assert signed(cluster, user, "sts", None, b"Action=MakeTea&Version=2011-06-15").status_code == 400
    assert signed(cluster, user, "sts", None, b"Action=AssumeRole&Version=2011-06-15").status_code == 400
    found = {(r["eventSource"].split(".")[0], r["eventName"]): r["errorCode"] for r in records(trail, "Username", name)}
    assert found == {
        ("kms", "MakeCoffee"): "UnknownOperationException", ("kms", "DescribeKey"): "SerializationException",
        ("cloudtrail", "StopLogging"): "UnknownOperationException", ("sts", "MakeTea"): "UnknownOperationException",
        ("sts", "AssumeRole"): found[("sts", "AssumeRole")]}
    assert "Validation" in found[("sts", "AssumeRole")]


def test_a_bad_signature_leaves_no_record(cluster, customer, trail, name):
    user = customer.user(name)
    answer = signed(cluster, user, "kms", "TrentService.ListKeys", secret="wrong")
    assert answer.status_code in (400, 403)
    assert records(trail, "Username", name) == []


@pytest.fixture
def stranger(cluster, tmp_path):
    """A user of another account who may do all that this account allows."""
    account = f"{random.randrange(10 ** 11, 10 ** 12)}"
    cluster.tool("admin", "account", "create", account, "--name", "stranger")
    cluster.tool("admin", "user", "create", "eve", "--account", account)
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["kms:*", "cloudtrail:LookupEvents"], "Resource": "*"}]}))
    cluster.tool("admin", "policy", "put", "all", "--account", account, "--user", "eve", "--document", str(policy))
    output = tmp_path / "key.json"
    cluster.tool("admin", "access-key", "create", "--account", account, "--user", "eve", "--output", str(output))
    made = json.loads(output.read_text())
    return account, {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}


def test_a_call_across_accounts_has_two_copies(cluster, kms, trail, stranger):
    account, credentials = stranger
    arn = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{account}:root"]}}]}))["KeyMetadata"]["Arn"]
    cluster.client("kms", credentials).describe_key(KeyId=arn)
    theirs, = records(cluster.client("cloudtrail", credentials), "EventName", "DescribeKey")
    ours, = [r for r in records(trail, "ResourceName", arn) if r["eventName"] == "DescribeKey"]
    assert ours["sharedEventID"] == theirs["sharedEventID"] and ours["eventID"] != theirs["eventID"]
    assert ours["requestID"] == theirs["requestID"]
    assert theirs["recipientAccountId"] == account and ours["recipientAccountId"] == ACCOUNT
    assert theirs["userIdentity"]["type"] == "IAMUser" and theirs["userIdentity"]["userName"] == "eve"
    assert list(ours["userIdentity"]) == ["type", "principalId", "accountId"]
    assert ours["userIdentity"]["type"] == "AWSAccount" and ours["userIdentity"]["accountId"] == account
    # Within one account there is one copy, and nothing is shared.
    kms.describe_key(KeyId=arn)
    assert "sharedEventID" not in [r for r in records(trail, "ResourceName", arn) if r["eventName"] == "DescribeKey"][0]


def test_encryption_context_is_shown_and_no_secret_is(trail, kms, name):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    data = kms.generate_data_key(KeyId=arn, KeySpec="AES_256", EncryptionContext={"project": name})
    sealed = kms.encrypt(KeyId=arn, Plaintext=b"canary " + name.encode(), EncryptionContext={"project": name})
    kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"project": name})
    found = records(trail, "ResourceName", arn)
    assert {r["eventName"] for r in found} == {"CreateKey", "GenerateDataKey", "Encrypt", "Decrypt"}
    text = json.dumps(found)
    for record in found:
        if record["eventName"] != "CreateKey":
            assert record["requestParameters"]["encryptionContext"] == {"project": name}
            assert record["responseElements"] is None and record["readOnly"] is True
    for secret in (data["Plaintext"], data["CiphertextBlob"], sealed["CiphertextBlob"], b"canary " + name.encode()):
        assert base64.b64encode(secret).decode() not in text and secret.hex() not in text
    assert "canary" not in text
