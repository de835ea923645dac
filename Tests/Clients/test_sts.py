"""STS through boto3 and the aws command: sessions of roles and users, and what limits them."""
import json

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT
from test_iam import ALLOW_ALL, allow, credentials, enabled, refused, session, totp

OTHER = "210987654321"


def trust(principal=ACCOUNT, actions=("sts:AssumeRole",), **condition):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions), **condition}]})


TAGGING = ("sts:AssumeRole", "sts:TagSession")


@pytest.fixture(scope="module")
def iam(cluster):
    return cluster.client("iam")


@pytest.fixture(scope="module")
def sts(clients):
    return clients["sts"]


@pytest.fixture
def make_role(iam, name):
    def make(suffix="", trust_policy=None, policy=ALLOW_ALL, **arguments):
        role = iam.create_role(RoleName=name + suffix, AssumeRolePolicyDocument=trust_policy or trust(), **arguments)["Role"]
        if policy:
            iam.put_role_policy(RoleName=name + suffix, PolicyName="p", PolicyDocument=json.dumps(policy))
        return role["Arn"]
    return make


def assume(sts, arn, **arguments):
    return sts.assume_role(RoleArn=arn, RoleSessionName="s1", **arguments)


def test_who_a_caller_is(cluster, sts, make_role):
    own = sts.get_caller_identity()
    assert own["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/admin" and own["UserId"].startswith("AIDA")
    made = assume(sts, make_role())
    who = cluster.client("sts", session(made)).get_caller_identity()
    assert who["Arn"] == made["AssumedRoleUser"]["Arn"] and who["UserId"] == made["AssumedRoleUser"]["AssumedRoleId"]
    assert cluster.cli("sts", "get-caller-identity")["Account"] == ACCOUNT
    key = cluster.env["AWS_ACCESS_KEY_ID"]
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
    assert cluster.cli("sts", "get-access-key-info", "--access-key-id", key)["Account"] == ACCOUNT
    refused("ValidationError", 400, sts.get_access_key_info, AccessKeyId="AKIA" + "A" * 16)


def test_session_of_a_user(cluster, sts, make_role):
    made = session(sts.get_session_token(DurationSeconds=900))
    inside = cluster.client("sts", made)
    assert inside.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/admin"
    assume(inside, make_role())
    refused("AccessDenied", 403, inside.get_session_token)
    refused("AccessDenied", 403, inside.get_access_key_info, AccessKeyId=made["aws_access_key_id"])
    refused("InvalidClientTokenId", 403, cluster.client("iam", made).list_users)
    cluster.client("kms", made).list_keys()
    role_session = cluster.client("sts", session(assume(sts, make_role("-2"))))
    refused("AccessDenied", 403, role_session.get_session_token)
    for seconds in (899, 129601):
        with pytest.raises(Exception):
            sts.get_session_token(DurationSeconds=seconds)
    shown = cluster.cli("sts", "get-session-token", "--duration-seconds", "900")
    assert shown["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_external_id(cluster, sts, make_role):
    arn = make_role(trust_policy=trust(Condition={"StringEquals": {"sts:ExternalId": "customer-1"}}))
    refused("AccessDenied", 403, assume, sts=sts, arn=arn)
    refused("AccessDenied", 403, assume, sts=sts, arn=arn, ExternalId="customer-2")
    assume(sts, arn, ExternalId="customer-1")
    cluster.cli("sts", "assume-role", "--role-arn", arn, "--role-session-name", "s1", "--external-id", "customer-1")


def test_second_factor_opens_a_role_once(cluster, iam, make_role, name):
    iam.create_user(UserName=name)
    keys = credentials(iam, name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(allow("sts:*")))
    arn = make_role("-r", trust_policy=trust(Condition={
        "Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}))
    serial, seed = enabled(iam, name)
    sts = cluster.client("sts", keys)
    refused("AccessDenied", 403, assume, sts=sts, arn=arn)
    message = refused("AccessDenied", 403, assume, sts=sts, arn=arn, SerialNumber=serial, TokenCode="000000")
    assert "MultiFactorAuthentication failed" in message
    code = totp(seed, 0)
    made = assume(sts, arn, SerialNumber=serial, TokenCode=code)
    refused("AccessDenied", 403, assume, sts=sts, arn=arn, SerialNumber=serial, TokenCode=code)
    refused("ValidationError", 400, assume, sts=sts, arn=arn, SerialNumber=serial)
    # Another user's device is none of the caller's.
    refused("AccessDenied", 403, assume, sts=cluster.client("sts"), arn=arn, SerialNumber=serial, TokenCode=totp(seed, 1))
    # The session was made with a second factor; one that is made with the session was not.
    chained = assume(cluster.client("sts", session(made)), arn)
    refused("AccessDenied", 403, assume, sts=cluster.client("sts", session(chained)), arn=arn)


def test_session_policies_narrow(cluster, iam, sts, make_role, name):
    arn = make_role(policy=allow("kms:*", "sts:*"))
    managed = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(allow("kms:ListAliases", "iam:*")))["Policy"]["Arn"]
    made = assume(sts, arn, Policy=json.dumps(allow("kms:ListKeys")), PolicyArns=[{"arn": managed}])
    assert 0 < made["PackedPolicySize"] <= 100
    kms = cluster.client("kms", session(made))
    kms.list_keys()
    kms.list_aliases()
    assert "no session policy allows" in refused("AccessDeniedException", 400, kms.create_key)
    refused("AccessDenied", 403, cluster.client("iam", session(made)).list_users)
    refused("MalformedPolicyDocument", 400, assume, sts=sts, arn=arn, Policy="{}")
    refused("ValidationError", 400, assume, sts=sts, arn=arn, PolicyArns=[{"arn": managed + "x"}])
    cluster.cli("sts", "assume-role", "--role-arn", arn, "--role-session-name", "s1", "--policy-arns", f"arn={managed}")


def test_tags_are_seen_in_conditions_and_go_through_a_chain(cluster, sts, make_role):
    blue = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*",
         "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}},
        {"Effect": "Allow", "Action": "kms:ListAliases", "Resource": "*",
         "Condition": {"StringEquals": {"aws:PrincipalTag/cost": "1"}}},
        {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
    first = make_role("-1", trust(actions=TAGGING), policy=blue, Tags=[{"Key": "team", "Value": "red"}])
    second = make_role("-2", trust(actions=TAGGING), policy=blue)
    refused("AccessDeniedException", 400, cluster.client("kms", session(assume(sts, first))).list_keys)
    made = assume(sts, first, Tags=[{"Key": "Team", "Value": "blue"}, {"Key": "cost", "Value": "1"}],
                  TransitiveTagKeys=["Team"])
    kms = cluster.client("kms", session(made))
    kms.list_keys()
    kms.list_aliases()
    inside = cluster.client("sts", session(made))
    chained = cluster.client("kms", session(assume(inside, second)))
    chained.list_keys()
    refused("AccessDeniedException", 400, chained.list_aliases)
    refused("InvalidParameterValue", 400, assume, sts=inside, arn=second, Tags=[{"Key": "TEAM", "Value": "red"}])
    refused("InvalidParameterValue", 400, assume, sts=sts, arn=first, TransitiveTagKeys=["absent"])
    plain = make_role("-3", trust())
    refused("AccessDenied", 403, assume, sts=sts, arn=plain, Tags=[{"Key": "team", "Value": "blue"}])
    refused("PackedPolicyTooLarge", 400, assume, sts=sts, arn=first,
            Tags=[{"Key": f"k{number}", "Value": "v" * 256} for number in range(20)])


def test_lifetimes_and_chains(cluster, sts, make_role):
    arn = make_role(MaxSessionDuration=7200)
    assume(sts, arn, DurationSeconds=7200)
    refused("ValidationError", 400, assume, sts=sts, arn=arn, DurationSeconds=7201)
    inside = cluster.client("sts", session(assume(sts, arn)))
    assume(inside, arn, DurationSeconds=3600)
    refused("ValidationError", 400, assume, sts=inside, arn=arn, DurationSeconds=3601)


def test_source_identity_stays(cluster, sts, make_role):
    arn = make_role(trust_policy=trust(actions=("sts:AssumeRole", "sts:SetSourceIdentity")))
    made = assume(sts, arn, SourceIdentity="alice")
    assert made["SourceIdentity"] == "alice"
    inside = cluster.client("sts", session(made))
    assert assume(inside, arn)["SourceIdentity"] == "alice"
    refused("AccessDenied", 403, assume, sts=inside, arn=arn, SourceIdentity="bob")
    plain = make_role("-2")
    refused("AccessDenied", 403, assume, sts=sts, arn=plain, SourceIdentity="alice")


def test_a_role_of_another_account_needs_both_sides(cluster, sts, iam, name):
    listed = cluster.tool("admin", "account", "list").stdout
    if OTHER not in listed:
        cluster.tool("admin", "account", "create", OTHER, "--name", "other")
    path = cluster.data / f"{name}.json"
    path.write_text(trust())
    cluster.tool("admin", "role", "create", name, "--account", OTHER, "--trust", str(path))
    arn = f"arn:aws:iam::{OTHER}:role/{name}"
    assert assume(sts, arn)["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/{name}/s1"
    iam.create_user(UserName=name)
    refused("AccessDenied", 403, assume, sts=cluster.client("sts", credentials(iam, name)), arn=arn)


def test_a_deleted_role_ends_its_sessions(cluster, iam, sts, make_role, name):
    inside = cluster.client("sts", session(assume(sts, make_role(policy=None))))
    inside.get_caller_identity()
    iam.delete_role(RoleName=name)
    refused("InvalidClientTokenId", 403, inside.get_caller_identity)


def test_operations_that_are_not_here_say_so(sts):
    with pytest.raises(ClientError) as error:
        sts.get_federation_token(Name="fed")
    assert error.value.response["Error"]["Code"] == "InvalidAction"
    assert "GetFederationToken is not supported" in error.value.response["Error"]["Message"]
