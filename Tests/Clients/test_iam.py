"""IAM through boto3 and the aws command: every operation as it succeeds, its documented errors, paging, and what it is for."""
import base64
import hashlib
import hmac
import json
import struct
import time

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT

ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TRUST_ACCOUNT = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]}


def allow(*actions, resource="*", **condition):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [{**statement, **condition}]}


def totp(seed, offset=0, at=None):
    """RFC 6238 by hand; `seed` is base32 as the service gives it."""
    step = int((time.time() if at is None else at) // 30) + offset
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 10 ** 6:06d}"


def refused(code, status, call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    return error.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def iam(cluster):
    return cluster.client("iam")


@pytest.fixture
def user(iam, name):
    iam.create_user(UserName=name)
    return name


@pytest.fixture
def role(iam, name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_ACCOUNT))
    return name


@pytest.fixture
def group(iam, name):
    iam.create_group(GroupName=name)
    return name


@pytest.fixture
def policy(iam, name):
    return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(allow("kms:ListKeys")))["Policy"]["Arn"]


def credentials(iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def session(answer):
    made = answer["Credentials"]
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"]}


# Users

def test_users(iam, name):
    made = iam.create_user(UserName=name, Path="/people/", Tags=[{"Key": "Team", "Value": "blue"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/people/{name}"
    assert made["UserId"].startswith("AIDA") and made["Tags"] == [{"Key": "Team", "Value": "blue"}]
    assert iam.get_user(UserName=name)["User"] == made
    assert iam.get_user()["User"]["UserName"] == "admin"
    listed = iam.list_users(PathPrefix="/people/")["Users"]
    assert name in [user["UserName"] for user in listed] and all(user["Path"] == "/people/" for user in listed)
    refused("EntityAlreadyExists", 409, iam.create_user, UserName=name.upper())
    refused("ValidationError", 400, iam.create_user, UserName="a b")
    refused("ValidationError", 400, iam.create_user, UserName="x" * 65)
    refused("ValidationError", 400, iam.create_user, UserName=name + "2", Path="people")
    refused("NoSuchEntity", 404, iam.get_user, UserName="nobody")
    refused("NoSuchEntity", 404, iam.create_user, UserName=name + "2",
            PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/absent")

    iam.update_user(UserName=name, NewUserName=name + "-2", NewPath="/")
    renamed = iam.get_user(UserName=name + "-2")["User"]
    assert renamed["UserId"] == made["UserId"] and renamed["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}-2"
    refused("NoSuchEntity", 404, iam.update_user, UserName=name, NewPath="/")
    refused("EntityAlreadyExists", 409, iam.update_user, UserName=name + "-2", NewUserName="ADMIN")
    iam.delete_user(UserName=name + "-2")
    refused("NoSuchEntity", 404, iam.delete_user, UserName=name + "-2")


def test_a_user_with_anything_left_is_not_deleted(iam, user, policy):
    steps = [
        (lambda: iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"],
         lambda key: iam.delete_access_key(UserName=user, AccessKeyId=key)),
        (lambda: iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL)),
         lambda _: iam.delete_user_policy(UserName=user, PolicyName="p")),
        (lambda: iam.attach_user_policy(UserName=user, PolicyArn=policy),
         lambda _: iam.detach_user_policy(UserName=user, PolicyArn=policy)),
        (lambda: (iam.create_group(GroupName=user), iam.add_user_to_group(GroupName=user, UserName=user)),
         lambda _: iam.remove_user_from_group(GroupName=user, UserName=user)),
    ]
    for make, unmake in steps:
        made = make()
        refused("DeleteConflict", 409, iam.delete_user, UserName=user)
        unmake(made)
    iam.delete_user(UserName=user)


def test_listings_page(iam, name):
    names = sorted(f"{name}-{number}" for number in range(5))
    for one in names:
        iam.create_user(UserName=one, Path=f"/{name}/")
    for size in (1, 2, 4, 5, 6):
        pages = list(iam.get_paginator("list_users").paginate(
            PathPrefix=f"/{name}/", PaginationConfig={"PageSize": size}))
        assert [user["UserName"] for page in pages for user in page["Users"]] == names
        assert len(pages) == -(-5 // size)
        assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert list(iam.get_paginator("list_users").paginate(PathPrefix="/none/"))[0]["Users"] == []
    refused("ValidationError", 400, iam.list_users, Marker="not base64!")
    refused("ValidationError", 400, iam.list_users, MaxItems=1001)


def test_lists_of_everything_page(iam, user, role, group, policy):
    """Each listing with one item a page is the same as the whole."""
    other = iam.create_policy(PolicyName=user + "-2", PolicyDocument=json.dumps(ALLOW_ALL))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=other, PolicyDocument=json.dumps(allow("s3:*")))
    iam.create_group(GroupName=user + "-2")
    iam.create_role(RoleName=user + "-2", AssumeRolePolicyDocument=json.dumps(TRUST_ACCOUNT))
    for kind, name in (("user", user), ("role", role), ("group", group)):
        for arn in (policy, other):
            getattr(iam, f"attach_{kind}_policy")(**{f"{kind.title()}Name": name, "PolicyArn": arn})
        for inline in ("a", "b"):
            getattr(iam, f"put_{kind}_policy")(
                **{f"{kind.title()}Name": name, "PolicyName": inline, "PolicyDocument": json.dumps(ALLOW_ALL)})
    for one in (group, user + "-2"):
        iam.add_user_to_group(GroupName=one, UserName=user)
    iam.create_user(UserName=user + "-3")
    iam.add_user_to_group(GroupName=group, UserName=user + "-3")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    iam.tag_user(UserName=user, Tags=tags)
    iam.tag_role(RoleName=role, Tags=tags)
    iam.tag_policy(PolicyArn=policy, Tags=tags)
    for key in range(2):
        iam.create_access_key(UserName=user)
    iam.create_virtual_mfa_device(VirtualMFADeviceName=user)
    iam.create_virtual_mfa_device(VirtualMFADeviceName=user + "-2")
    for operation, arguments, members in [
        ("list_users", {}, ["Users"]), ("list_groups", {}, ["Groups"]), ("list_roles", {}, ["Roles"]),
        ("list_policies", {"Scope": "Local"}, ["Policies"]), ("list_policy_versions", {"PolicyArn": other}, ["Versions"]),
        ("list_access_keys", {"UserName": user}, ["AccessKeyMetadata"]),
        ("list_groups_for_user", {"UserName": user}, ["Groups"]), ("get_group", {"GroupName": group}, ["Users"]),
        ("list_user_policies", {"UserName": user}, ["PolicyNames"]),
        ("list_role_policies", {"RoleName": role}, ["PolicyNames"]),
        ("list_group_policies", {"GroupName": group}, ["PolicyNames"]),
        ("list_attached_user_policies", {"UserName": user}, ["AttachedPolicies"]),
        ("list_attached_role_policies", {"RoleName": role}, ["AttachedPolicies"]),
        ("list_attached_group_policies", {"GroupName": group}, ["AttachedPolicies"]),
        ("list_entities_for_policy", {"PolicyArn": policy}, ["PolicyGroups", "PolicyRoles", "PolicyUsers"]),
        ("list_user_tags", {"UserName": user}, ["Tags"]), ("list_role_tags", {"RoleName": role}, ["Tags"]),
        ("list_policy_tags", {"PolicyArn": policy}, ["Tags"]),
        ("list_virtual_mfa_devices", {}, ["VirtualMFADevices"]),
        ("get_account_authorization_details", {},
         ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]),
        ("simulate_principal_policy",
         {"PolicySourceArn": iam.get_user(UserName=user)["User"]["Arn"], "ActionNames": ["s3:GetObject", "kms:ListKeys"],
          "ResourceArns": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}, ["EvaluationResults"]),
    ]:
        call = getattr(iam, operation)
        whole, paged, marker = [], [], {}
        answer = call(**arguments, MaxItems=1000)
        whole = [item for member in members for item in answer[member]]
        assert len(whole) >= 2 and not answer["IsTruncated"], operation
        while True:
            answer = call(**arguments, MaxItems=1, **marker)
            page = [item for member in members for item in answer[member]]
            assert len(page) == 1, operation
            paged += page
            if not answer["IsTruncated"]:
                break
            marker = {"Marker": answer["Marker"]}
        assert sorted(map(str, paged)) == sorted(map(str, whole)), operation


# Access keys

def test_access_keys(cluster, iam, user):
    first = credentials(iam, user)
    second = credentials(iam, user)
    refused("LimitExceeded", 409, iam.create_access_key, UserName=user)
    listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {first["aws_access_key_id"], second["aws_access_key_id"]}
    assert all(key["Status"] == "Active" and "SecretAccessKey" not in key for key in listed)

    unused = iam.get_access_key_last_used(AccessKeyId=first["aws_access_key_id"])
    assert unused["UserName"] == user and unused["AccessKeyLastUsed"]["ServiceName"] == "N/A"
    sts = cluster.client("sts", first)
    sts.get_caller_identity()
    used = iam.get_access_key_last_used(AccessKeyId=first["aws_access_key_id"])["AccessKeyLastUsed"]
    assert used["ServiceName"] == "sts" and used["Region"] == "us-west-2" and used["LastUsedDate"]
    refused("AccessDenied", 403, iam.get_access_key_last_used, AccessKeyId="AKIA" + "A" * 16)

    iam.update_access_key(UserName=user, AccessKeyId=first["aws_access_key_id"], Status="Inactive")
    refused("InvalidClientTokenId", 403, sts.get_caller_identity)
    iam.update_access_key(UserName=user, AccessKeyId=first["aws_access_key_id"], Status="Active")
    sts.get_caller_identity()
    refused("ValidationError", 400, iam.update_access_key, UserName=user, AccessKeyId=first["aws_access_key_id"],
            Status="Expired")
    # A key is its user's.
    refused("NoSuchEntity", 404, iam.update_access_key, AccessKeyId=first["aws_access_key_id"], Status="Inactive")
    refused("NoSuchEntity", 404, iam.delete_access_key, UserName="admin", AccessKeyId=first["aws_access_key_id"])
    iam.delete_access_key(UserName=user, AccessKeyId=first["aws_access_key_id"])
    refused("InvalidClientTokenId", 403, sts.get_caller_identity)
    refused("NoSuchEntity", 404, iam.delete_access_key, UserName=user, AccessKeyId=first["aws_access_key_id"])
    refused("NoSuchEntity", 404, iam.create_access_key, UserName="nobody")
    refused("NoSuchEntity", 404, iam.list_access_keys, UserName="nobody")


# Groups

def test_groups(iam, user, name):
    made = iam.create_group(GroupName=name, Path="/teams/")["Group"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/teams/{name}" and made["GroupId"].startswith("AGPA")
    refused("EntityAlreadyExists", 409, iam.create_group, GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=user)
    iam.add_user_to_group(GroupName=name, UserName=user)
    answer = iam.get_group(GroupName=name)
    assert answer["Group"] == made and [member["UserName"] for member in answer["Users"]] == [user]
    assert iam.list_groups_for_user(UserName=user)["Groups"] == [made]
    assert made in iam.list_groups(PathPrefix="/teams/")["Groups"]
    refused("NoSuchEntity", 404, iam.add_user_to_group, GroupName=name, UserName="nobody")
    refused("NoSuchEntity", 404, iam.add_user_to_group, GroupName="nothing", UserName=user)
    refused("DeleteConflict", 409, iam.delete_group, GroupName=name)
    iam.update_group(GroupName=name, NewGroupName=name + "-2", NewPath="/")
    assert iam.get_group(GroupName=name + "-2")["Group"]["GroupId"] == made["GroupId"]
    iam.remove_user_from_group(GroupName=name + "-2", UserName=user)
    refused("NoSuchEntity", 404, iam.remove_user_from_group, GroupName=name + "-2", UserName=user)
    iam.put_group_policy(GroupName=name + "-2", PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL))
    refused("DeleteConflict", 409, iam.delete_group, GroupName=name + "-2")
    iam.delete_group_policy(GroupName=name + "-2", PolicyName="p")
    iam.delete_group(GroupName=name + "-2")
    refused("NoSuchEntity", 404, iam.get_group, GroupName=name + "-2")


# Roles

def test_roles(iam, name, policy):
    made = iam.create_role(
        RoleName=name, Path="/service/", AssumeRolePolicyDocument=json.dumps(TRUST_ACCOUNT), Description="runs",
        MaxSessionDuration=7200, PermissionsBoundary=policy, Tags=[{"Key": "a", "Value": "b"}])["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/service/{name}" and made["RoleId"].startswith("AROA")
    assert made["AssumeRolePolicyDocument"] == TRUST_ACCOUNT and made["MaxSessionDuration"] == 7200
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy and made["Tags"] == [{"Key": "a", "Value": "b"}]
    assert iam.get_role(RoleName=name)["Role"] == made
    assert name in [role["RoleName"] for role in iam.list_roles(PathPrefix="/service/")["Roles"]]
    refused("EntityAlreadyExists", 409, iam.create_role, RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST_ACCOUNT))
    for wrong in ("{}", "x", json.dumps(ALLOW_ALL), json.dumps({**TRUST_ACCOUNT, "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}, "Action": "sts:AssumeRole"}]})):
        refused("MalformedPolicyDocument", 400, iam.create_role, RoleName=name + "2", AssumeRolePolicyDocument=wrong)
        refused("MalformedPolicyDocument", 400, iam.update_assume_role_policy, RoleName=name, PolicyDocument=wrong)
    refused("ValidationError", 400, iam.create_role, RoleName=name + "2", MaxSessionDuration=43201,
            AssumeRolePolicyDocument=json.dumps(TRUST_ACCOUNT))

    iam.update_role(RoleName=name, Description="walks", MaxSessionDuration=3600)
    assert iam.update_role_description(RoleName=name, Description="sits")["Role"]["Description"] == "sits"
    changed = iam.get_role(RoleName=name)["Role"]
    assert changed["Description"] == "sits" and changed["MaxSessionDuration"] == 3600
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "forecast.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == trust
    refused("NoSuchEntity", 404, iam.update_role, RoleName="nothing", Description="x")
    refused("NoSuchEntity", 404, iam.get_role, RoleName="nothing")

    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    refused("DeleteConflict", 409, iam.delete_role, RoleName=name)
    iam.detach_role_policy(RoleName=name, PolicyArn=policy)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL))
    refused("DeleteConflict", 409, iam.delete_role, RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)
    refused("NoSuchEntity", 404, iam.delete_role, RoleName=name)


# Policies

@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_inline_policies(iam, request, kind):
    owner = {f"{kind.title()}Name": request.getfixturevalue(kind)}
    put, get = getattr(iam, f"put_{kind}_policy"), getattr(iam, f"get_{kind}_policy")
    names, delete = getattr(iam, f"list_{kind}_policies"), getattr(iam, f"delete_{kind}_policy")
    put(**owner, PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL))
    put(**owner, PolicyName="p", PolicyDocument=json.dumps(allow("kms:*"), indent=2))
    assert get(**owner, PolicyName="p")["PolicyDocument"] == allow("kms:*")
    assert names(**owner)["PolicyNames"] == ["p"]
    for wrong in ("{", json.dumps(TRUST_ACCOUNT), '{"Statement":[]}'):
        refused("MalformedPolicyDocument", 400, put, **owner, PolicyName="q", PolicyDocument=wrong)
    refused("LimitExceeded", 409, put, **owner, PolicyName="q",
            PolicyDocument=json.dumps(allow(*[f"kms:Action{number:04d}" for number in range(700)])))
    refused("ValidationError", 400, put, **owner, PolicyName="a b", PolicyDocument=json.dumps(ALLOW_ALL))
    refused("NoSuchEntity", 404, get, **owner, PolicyName="q")
    delete(**owner, PolicyName="p")
    refused("NoSuchEntity", 404, delete, **owner, PolicyName="p")
    nobody = {f"{kind.title()}Name": "nobody"}
    refused("NoSuchEntity", 404, names, **nobody)
    refused("NoSuchEntity", 404, put, **nobody, PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL))


def test_managed_policies(iam, name):
    made = iam.create_policy(
        PolicyName=name, Path="/shared/", PolicyDocument=json.dumps(ALLOW_ALL), Description="all",
        Tags=[{"Key": "a", "Value": "b"}])["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/shared/{name}" and made["PolicyId"].startswith("ANPA")
    assert made["DefaultVersionId"] == "v1" and made["AttachmentCount"] == 0 and made["IsAttachable"] is True
    assert iam.get_policy(PolicyArn=arn)["Policy"] == made
    refused("EntityAlreadyExists", 409, iam.create_policy, PolicyName=name, PolicyDocument=json.dumps(ALLOW_ALL))
    refused("MalformedPolicyDocument", 400, iam.create_policy, PolicyName=name + "2", PolicyDocument="{}")
    refused("LimitExceeded", 409, iam.create_policy, PolicyName=name + "2",
            PolicyDocument=json.dumps(allow(*[f"kms:Action{number:04d}" for number in range(400)])))
    refused("NoSuchEntity", 404, iam.get_policy, PolicyArn=arn + "x")
    refused("InvalidInput", 400, iam.get_policy, PolicyArn=f"arn:aws:iam::{ACCOUNT}:user/admin")

    for number in range(2, 6):
        version = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=json.dumps(allow(f"kms:A{number}")), SetAsDefault=number == 2)["PolicyVersion"]
        assert version["VersionId"] == f"v{number}" and version["IsDefaultVersion"] is (number == 2)
    refused("LimitExceeded", 409, iam.create_policy_version, PolicyArn=arn, PolicyDocument=json.dumps(ALLOW_ALL))
    refused("MalformedPolicyDocument", 400, iam.create_policy_version, PolicyArn=arn, PolicyDocument="{}")
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in listed] == ["v5", "v4", "v3", "v2", "v1"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v3")["PolicyVersion"]["Document"] == allow("kms:A3")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v3")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v3"
    refused("DeleteConflict", 409, iam.delete_policy_version, PolicyArn=arn, VersionId="v3")
    refused("NoSuchEntity", 404, iam.get_policy_version, PolicyArn=arn, VersionId="v9")
    refused("NoSuchEntity", 404, iam.set_default_policy_version, PolicyArn=arn, VersionId="v9")
    refused("NoSuchEntity", 404, iam.delete_policy_version, PolicyArn=arn, VersionId="v9")
    refused("ValidationError", 400, iam.get_policy_version, PolicyArn=arn, VersionId="3")
    refused("DeleteConflict", 409, iam.delete_policy, PolicyArn=arn)
    for number in (1, 2, 4, 5):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    iam.delete_policy(PolicyArn=arn)
    refused("NoSuchEntity", 404, iam.delete_policy, PolicyArn=arn)


def test_attachments(iam, user, role, group, policy):
    owners = {"user": user, "role": role, "group": group}
    for kind, name in owners.items():
        owner = {f"{kind.title()}Name": name}
        attach, detach = getattr(iam, f"attach_{kind}_policy"), getattr(iam, f"detach_{kind}_policy")
        refused("NoSuchEntity", 404, detach, **owner, PolicyArn=policy)
        refused("NoSuchEntity", 404, attach, **owner, PolicyArn=policy + "x")
        refused("NoSuchEntity", 404, attach, **{f"{kind.title()}Name": "nobody"}, PolicyArn=policy)
        attach(**owner, PolicyArn=policy)
        attach(**owner, PolicyArn=policy)
        listed = getattr(iam, f"list_attached_{kind}_policies")(**owner)["AttachedPolicies"]
        assert listed == [{"PolicyName": policy.split("/")[-1], "PolicyArn": policy}]
    assert iam.get_policy(PolicyArn=policy)["Policy"]["AttachmentCount"] == 3
    entities = iam.list_entities_for_policy(PolicyArn=policy)
    assert [entity["UserName"] for entity in entities["PolicyUsers"]] == [user]
    assert [entity["RoleName"] for entity in entities["PolicyRoles"]] == [role]
    assert [entity["GroupName"] for entity in entities["PolicyGroups"]] == [group]
    only = iam.list_entities_for_policy(PolicyArn=policy, EntityFilter="Role")
    assert only["PolicyUsers"] == [] and len(only["PolicyRoles"]) == 1
    refused("DeleteConflict", 409, iam.delete_policy, PolicyArn=policy)
    attached = iam.list_policies(OnlyAttached=True, MaxItems=1000)["Policies"]
    assert policy in [one["Arn"] for one in attached]
    assert iam.list_policies(Scope="AWS")["Policies"] == []
    for kind, name in owners.items():
        getattr(iam, f"detach_{kind}_policy")(**{f"{kind.title()}Name": name, "PolicyArn": policy})
    iam.delete_policy(PolicyArn=policy)


@pytest.mark.parametrize("kind", ["user", "role"])
def test_boundaries(iam, request, policy, kind):
    owner = {f"{kind.title()}Name": request.getfixturevalue(kind)}
    put, delete = getattr(iam, f"put_{kind}_permissions_boundary"), getattr(iam, f"delete_{kind}_permissions_boundary")
    get = getattr(iam, f"get_{kind}")
    refused("NoSuchEntity", 404, delete, **owner)
    refused("NoSuchEntity", 404, put, **owner, PermissionsBoundary=policy + "x")
    put(**owner, PermissionsBoundary=policy)
    assert get(**owner)[kind.title()]["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    assert iam.get_policy(PolicyArn=policy)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    bounded = iam.list_entities_for_policy(PolicyArn=policy, PolicyUsageFilter="PermissionsBoundary")
    assert len(bounded[f"Policy{kind.title()}s"]) == 1
    refused("DeleteConflict", 409, iam.delete_policy, PolicyArn=policy)
    delete(**owner)
    assert "PermissionsBoundary" not in get(**owner)[kind.title()]


@pytest.mark.parametrize("kind", ["user", "role", "policy"])
def test_tags(iam, request, kind):
    owner = {"PolicyArn" if kind == "policy" else f"{kind.title()}Name": request.getfixturevalue(kind)}
    tag, untag = getattr(iam, f"tag_{kind}"), getattr(iam, f"untag_{kind}")
    listed = lambda: getattr(iam, f"list_{kind}_tags")(**owner)["Tags"]
    tag(**owner, Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": ""}])
    tag(**owner, Tags=[{"Key": "B", "Value": "2"}])
    assert listed() == [{"Key": "a", "Value": ""}, {"Key": "B", "Value": "2"}]
    untag(**owner, TagKeys=["A", "absent"])
    assert listed() == [{"Key": "B", "Value": "2"}]
    refused("InvalidInput", 400, tag, **owner, Tags=[{"Key": "x", "Value": "1"}, {"Key": "X", "Value": "2"}])
    refused("ValidationError", 400, tag, **owner, Tags=[{"Key": "aws:x", "Value": "1"}])
    refused("ValidationError", 400, tag, **owner, Tags=[{"Key": "a*b", "Value": "1"}])
    tag(**owner, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(49)])
    refused("LimitExceeded", 409, tag, **owner, Tags=[{"Key": "more", "Value": ""}])


# What it is for

def test_groups_managed_policies_and_boundaries_decide(cluster, iam, user, group, policy):
    kms = cluster.client("kms", credentials(iam, user))
    refused("AccessDeniedException", 400, kms.list_keys)
    iam.attach_group_policy(GroupName=group, PolicyArn=policy)
    iam.add_user_to_group(GroupName=group, UserName=user)
    kms.list_keys()
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(allow("s3:*")), SetAsDefault=True)
    refused("AccessDeniedException", 400, kms.list_keys)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL))
    kms.list_keys()
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=policy)
    assert "no permissions boundary allows" in refused("AccessDeniedException", 400, kms.list_keys)
    refused("AccessDenied", 403, cluster.client("iam", credentials(iam, user)).list_users)
    iam.delete_user_permissions_boundary(UserName=user)
    kms.list_keys()
    iam.remove_user_from_group(GroupName=group, UserName=user)
    refused("AccessDeniedException", 400, kms.list_keys)


def test_identity_policies_decide_about_iam(cluster, iam, user):
    own = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
    iam.put_user_policy(UserName=user, PolicyName="self", PolicyDocument=json.dumps(
        allow("iam:*AccessKey*", "iam:GetUser", resource=own)))
    client = cluster.client("iam", credentials(iam, user))
    assert client.get_user()["User"]["UserName"] == user
    key = client.create_access_key()["AccessKey"]
    assert key["UserName"] == user
    client.delete_access_key(AccessKeyId=key["AccessKeyId"])
    message = refused("AccessDenied", 403, client.create_access_key, UserName="admin")
    assert message.startswith(f"User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: iam:CreateAccessKey")
    refused("AccessDenied", 403, client.list_users)
    iam.put_user_policy(UserName=user, PolicyName="deny", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:Get*", "Resource": "*"}]}))
    assert "explicit deny" in refused("AccessDenied", 403, client.get_user)


def test_the_trail_knows_every_call(clients, iam, cluster, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL))
    with pytest.raises(ClientError):
        iam.get_role(RoleName=user)
    pages = clients["cloudtrail"].get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "iam.amazonaws.com"}])
    records = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    mine = [record for record in records if user in json.dumps(record["requestParameters"])]
    by_name = {record["eventName"]: record for record in mine}
    assert {"CreateUser", "CreateAccessKey", "PutUserPolicy", "GetRole"} <= set(by_name)
    assert by_name["GetRole"]["errorCode"] == "NoSuchEntity" and by_name["GetRole"]["readOnly"] is True
    assert by_name["PutUserPolicy"]["requestParameters"]["policyDocument"] == json.dumps(ALLOW_ALL)
    assert by_name["CreateAccessKey"]["responseElements"]["accessKey"]["accessKeyId"] == key["AccessKeyId"]
    assert by_name["CreateAccessKey"]["userIdentity"]["userName"] == "admin"
    assert key["SecretAccessKey"] not in json.dumps(records)


def test_simulation_asks_the_evaluator(iam, user, policy):
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*", "Condition": {
            "StringEquals": {"aws:RequestedRegion": "us-west-2"}}},
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}]}))
    arn = iam.get_user(UserName=user)["User"]["Arn"]

    def decisions(**arguments):
        results = iam.simulate_principal_policy(PolicySourceArn=arn, **arguments)["EvaluationResults"]
        return [(result["EvalActionName"], result["EvalDecision"]) for result in results]

    assert decisions(ActionNames=["kms:ListKeys", "kms:CreateKey"]) == [
        ("kms:ListKeys", "allowed"), ("kms:CreateKey", "implicitDeny")]
    region = [{"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": ["us-west-2"], "ContextKeyType": "string"}]
    get = {"ActionNames": ["s3:GetObject", "s3:DeleteObject"], "ResourceArns": ["arn:aws:s3:::b/k"]}
    assert decisions(**get) == [("s3:GetObject", "implicitDeny"), ("s3:DeleteObject", "explicitDeny")]
    assert decisions(**get, ContextEntries=region) == [("s3:GetObject", "allowed"), ("s3:DeleteObject", "explicitDeny")]
    assert decisions(ActionNames=["ec2:Run"], PolicyInputList=[json.dumps(allow("ec2:*"))]) == [("ec2:Run", "allowed")]
    bounded = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["kms:ListKeys"],
        PermissionsBoundaryPolicyInputList=[json.dumps(allow("s3:*"))])["EvaluationResults"][0]
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    allowed = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["kms:ListKeys"])["EvaluationResults"][0]
    assert allowed["MatchedStatements"][0]["SourcePolicyId"] == policy.split("/")[-1]
    refused("NoSuchEntity", 404, iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=["kms:ListKeys"])
    refused("InvalidInput", 400, iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["kms:*"])
    refused("InvalidInput", 400, iam.simulate_principal_policy, PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:mfa/x",
            ActionNames=["kms:ListKeys"])


def test_account(iam, user, policy):
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Users"] >= 2 and summary["UsersQuota"] == 5000 and summary["AccessKeysPerUserQuota"] == 2
    iam.create_account_alias(AccountAlias="forecast-tests")
    assert iam.list_account_aliases()["AccountAliases"] == ["forecast-tests"]
    refused("ValidationError", 400, iam.create_account_alias, AccountAlias="No--such")
    refused("NoSuchEntity", 404, iam.delete_account_alias, AccountAlias="other")
    iam.delete_account_alias(AccountAlias="forecast-tests")
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(ALLOW_ALL))
    iam.attach_user_policy(UserName=user, PolicyArn=policy)
    details = iam.get_account_authorization_details(MaxItems=1000)
    mine = next(one for one in details["UserDetailList"] if one["UserName"] == user)
    assert mine["UserPolicyList"] == [{"PolicyName": "p", "PolicyDocument": ALLOW_ALL}]
    assert mine["AttachedManagedPolicies"][0]["PolicyArn"] == policy and mine["GroupList"] == []
    shown = next(one for one in details["Policies"] if one["Arn"] == policy)
    assert shown["PolicyVersionList"][0]["Document"] == allow("kms:ListKeys")
    only = iam.get_account_authorization_details(Filter=["Role"], MaxItems=1000)
    assert only["RoleDetailList"] == details["RoleDetailList"] and only["UserDetailList"] == []


def test_operations_of_the_model_that_are_not_here_say_so(iam):
    refused("InvalidAction", 400, iam.list_server_certificates)
    refused("ValidationError", 400, iam.create_role, RoleName="x", AssumeRolePolicyDocument=json.dumps(TRUST_ACCOUNT),
            MaxSigninSessionDuration=3600)


# Second factor

def enabled(iam, user):
    """A device of the user's own; the codes of the two steps before now are used up."""
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
    seed = made["Base32StringSeed"].decode()
    now = time.time()
    iam.enable_mfa_device(UserName=user, SerialNumber=made["SerialNumber"], AuthenticationCode1=totp(seed, -2, now),
                          AuthenticationCode2=totp(seed, -1, now))
    return made["SerialNumber"], seed


def test_mfa_devices(iam, user):
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=user, Tags=[{"Key": "a", "Value": "b"}])["VirtualMFADevice"]
    serial, seed = made["SerialNumber"], made["Base32StringSeed"].decode()
    assert serial == f"arn:aws:iam::{ACCOUNT}:mfa/{user}" and len(base64.b32decode(seed)) == 40
    assert made["QRCodePNG"].startswith(b"\x89PNG")
    refused("EntityAlreadyExists", 409, iam.create_virtual_mfa_device, VirtualMFADeviceName=user)
    assert serial in [one["SerialNumber"] for one in
                      iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned", MaxItems=1000)["VirtualMFADevices"]]
    now = time.time()
    pair = {"UserName": user, "SerialNumber": serial}
    codes = {"AuthenticationCode1": totp(seed, -2, now), "AuthenticationCode2": totp(seed, -1, now)}
    wrong = {"AuthenticationCode1": totp(seed, -40, now), "AuthenticationCode2": totp(seed, -39, now)}
    refused("InvalidAuthenticationCode", 403, iam.enable_mfa_device, **pair, **wrong)
    refused("ValidationError", 400, iam.enable_mfa_device, **pair, AuthenticationCode1="12345x", AuthenticationCode2="123456")
    refused("NoSuchEntity", 404, iam.enable_mfa_device, UserName=user, SerialNumber=serial + "x", **codes)
    iam.enable_mfa_device(**pair, **codes)
    refused("EntityAlreadyExists", 409, iam.enable_mfa_device, **pair, **codes)
    device, = iam.list_mfa_devices(UserName=user)["MFADevices"]
    assert device["SerialNumber"] == serial and device["UserName"] == user and device["EnableDate"]
    assert iam.get_mfa_device(SerialNumber=serial, UserName=user)["UserName"] == user
    refused("NoSuchEntity", 404, iam.get_mfa_device, SerialNumber=serial, UserName="admin")
    assigned = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned", MaxItems=1000)["VirtualMFADevices"]
    assert next(one for one in assigned if one["SerialNumber"] == serial)["User"]["UserName"] == user
    assert all("Base32StringSeed" not in one for one in assigned)
    refused("DeleteConflict", 409, iam.delete_user, UserName=user)
    refused("DeleteConflict", 409, iam.delete_virtual_mfa_device, SerialNumber=serial)
    refused("InvalidAuthenticationCode", 403, iam.resync_mfa_device, **pair, **codes)
    ahead = {"AuthenticationCode1": totp(seed, 9, now), "AuthenticationCode2": totp(seed, 10, now)}
    iam.resync_mfa_device(**pair, **ahead)
    iam.deactivate_mfa_device(**pair)
    refused("NoSuchEntity", 404, iam.deactivate_mfa_device, **pair)
    refused("NoSuchEntity", 404, iam.resync_mfa_device, **pair, **ahead)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    refused("NoSuchEntity", 404, iam.delete_virtual_mfa_device, SerialNumber=serial)


def test_mfa_end_to_end(cluster, iam, user):
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(
        allow("iam:ListUsers", "kms:ListKeys", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})))
    keys = credentials(iam, user)
    serial, seed = enabled(iam, user)
    sts = cluster.client("sts", keys)
    refused("AccessDenied", 403, cluster.client("iam", keys).list_users)
    plain = session(sts.get_session_token())
    refused("InvalidClientTokenId", 403, cluster.client("iam", plain).list_users)
    refused("AccessDeniedException", 400, cluster.client("kms", plain).list_keys)
    code = totp(seed, 0)
    strong = session(sts.get_session_token(SerialNumber=serial, TokenCode=code))
    assert cluster.client("iam", strong).list_users()["Users"]
    cluster.client("kms", strong).list_keys()
    # The same code is not taken a second time.
    refused("AccessDenied", 403, sts.get_session_token, SerialNumber=serial, TokenCode=code)


# The aws command

def test_the_command_line_manages_people(cluster, name):
    run = lambda *arguments: cluster.cli("iam", *arguments)
    assert run("create-user", "--user-name", name)["User"]["UserName"] == name
    run("create-group", "--group-name", name)
    run("add-user-to-group", "--group-name", name, "--user-name", name)
    arn = run("create-policy", "--policy-name", name, "--policy-document", json.dumps(ALLOW_ALL))["Policy"]["Arn"]
    run("attach-group-policy", "--group-name", name, "--policy-arn", arn)
    assert run("list-attached-group-policies", "--group-name", name)["AttachedPolicies"][0]["PolicyArn"] == arn
    assert run("get-policy-version", "--policy-arn", arn, "--version-id", "v1")["PolicyVersion"]["Document"] == ALLOW_ALL
    run("create-role", "--role-name", name, "--assume-role-policy-document", json.dumps(TRUST_ACCOUNT))
    assert run("get-role", "--role-name", name)["Role"]["AssumeRolePolicyDocument"] == TRUST_ACCOUNT
    picture = cluster.data / f"{name}.png"
    made = run("create-virtual-mfa-device", "--virtual-mfa-device-name", name, "--outfile", str(picture),
               "--bootstrap-method", "QRCodePNG")
    assert made["VirtualMFADevice"]["SerialNumber"].endswith(f"mfa/{name}")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(run("list-users", "--max-items", "1", "--page-size", "1")["Users"]) == 1
    failed = cluster.cli("iam", "get-user", "--user-name", "nobody", check=False)
    assert failed.returncode == 254 or failed.returncode == 255
    assert "(NoSuchEntity) when calling the GetUser operation" in failed.stderr
    # `forecastle admin` sees the same people.
    assert name in cluster.tool("admin", "user", "list", "--account", ACCOUNT).stdout
    for arguments in [("remove-user-from-group", "--group-name", name, "--user-name", name),
                      ("delete-user", "--user-name", name),
                      ("detach-group-policy", "--group-name", name, "--policy-arn", arn),
                      ("delete-group", "--group-name", name), ("delete-policy", "--policy-arn", arn),
                      ("delete-role", "--role-name", name)]:
        run(*arguments)
