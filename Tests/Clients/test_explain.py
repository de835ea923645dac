"""`forecastle admin explain`: the authority's decision and its ground, before anybody calls."""
import json
import uuid

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT

ALLOWED, DENIED = 0, 3


@pytest.fixture(scope="module")
def key(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def person(cluster, tmp_path):
    """A user with a policy and credentials."""
    name = "p" + uuid.uuid4().hex[:10]
    document = {"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
         "Condition": {"StringEqualsIfExists": {"kms:EncryptionContext:team": "red"}}},
        {"Sid": "NeverDisable", "Effect": "Deny", "Action": "kms:DisableKey", "Resource": "*"}]}
    (tmp_path / "policy.json").write_text(json.dumps(document))
    of = ("--account", ACCOUNT, "--user", name)
    cluster.tool("admin", "user", "create", name, "--account", ACCOUNT)
    cluster.tool("admin", "policy", "put", "reading", *of, "--document", str(tmp_path / "policy.json"))
    cluster.tool("admin", "access-key", "create", *of, "--output", str(tmp_path / "key.json"))
    made = json.loads((tmp_path / "key.json").read_text())
    return {"arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "id": made["AccessKeyId"], "credentials": {
        "aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}}


def explain(cluster, principal, action, resource, *more):
    result = cluster.tool(
        "admin", "explain", "--principal", principal, "--action", action, "--resource", resource, *more, check=False)
    assert result.returncode in (ALLOWED, DENIED), result.stderr
    return result


def test_the_statement_that_allows(cluster, person, key):
    result = explain(cluster, person["arn"], "kms:Decrypt", key, "--encryption-context", "team=red")
    assert result.returncode == ALLOWED
    assert result.stdout.startswith("ALLOWED  kms:Decrypt\n")
    assert "Decided by the identity policy reading, statement 1 (Read)." in result.stdout
    assert "delegates to the account" in result.stdout
    answer = json.loads(explain(cluster, person["id"], "kms:Decrypt", key, "--json").stdout)
    assert answer["allowed"] and answer["principal"] == person["arn"] and answer["resource"] == key
    assert answer["decidedBy"] == {"source": "identity policy", "policy": "reading", "statement": 1, "sid": "Read"}


def test_what_denies_and_what_is_missing(cluster, person, key):
    result = explain(cluster, person["arn"], "kms:DisableKey", key)
    assert result.returncode == DENIED and "statement 2 (NeverDisable)" in result.stdout
    result = explain(cluster, person["arn"], "kms:Decrypt", key, "--encryption-context", "team=blue")
    assert result.returncode == DENIED and "No identity policy allows it." in result.stdout
    answer = json.loads(explain(cluster, person["arn"], "kms:Encrypt", key, "--json").stdout)
    assert not answer["allowed"] and "decidedBy" not in answer
    assert [side["says"] for side in answer["sides"]] == [
        "delegates to the account", "none there", "none there", "none there", "nothing"]


def test_it_agrees_with_the_calls_themselves(cluster, person, key):
    own = cluster.client("kms", person["credentials"])
    calls = {
        "DescribeKey": lambda: own.describe_key(KeyId=key), "DisableKey": lambda: own.disable_key(KeyId=key),
        "ListGrants": lambda: own.list_grants(KeyId=key), "GetKeyPolicy": lambda: own.get_key_policy(KeyId=key),
    }
    for name, call in calls.items():
        try:
            call()
            code = ALLOWED
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            code = DENIED
        assert explain(cluster, person["arn"], f"kms:{name}", key).returncode == code, name


def test_a_grant_decides(cluster, kms, person, key):
    grant = kms.create_grant(KeyId=key, GranteePrincipal=person["arn"], Operations=["Encrypt"])["GrantId"]
    answer = json.loads(explain(cluster, person["arn"], "kms:Encrypt", key, "--json").stdout)
    assert answer["allowed"] and answer["decidedBy"] == {"grant": grant}
    kms.revoke_grant(KeyId=key, GrantId=grant)
    assert explain(cluster, person["arn"], "kms:Encrypt", key).returncode == DENIED


@pytest.mark.parametrize("arguments", [
    ("--principal", "arn:aws:iam::123456789012:user/nobody", "--action", "kms:ListKeys"),
    ("--principal", "nobody", "--action", "kms:ListKeys"),
    ("--principal", "arn:aws:iam::123456789012:user/admin", "--action", "ListKeys"),
    ("--principal", "arn:aws:iam::123456789012:user/admin", "--action", "kms:ListKeys", "--context", "novalue"),
    ("--principal", "arn:aws:iam::123456789012:user/admin", "--action", "kms:Decrypt", "--resource", "key/that is none"),
    ("--action", "kms:ListKeys"),
])
def test_wrong_questions_are_neither_allowed_nor_denied(cluster, arguments):
    result = cluster.tool("admin", "explain", *arguments, check=False)
    assert result.returncode not in (ALLOWED, DENIED) and result.stderr.strip()
