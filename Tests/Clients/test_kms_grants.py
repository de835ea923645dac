"""Grants through boto3: every rule on who they are for, what they allow, and who ends them; and the Encryption SDK with keys by
every sort of name, also of another account."""
import base64
import json

import aws_encryption_sdk
import botocore.exceptions
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsDiscoveryKeyringInput, CreateAwsKmsKeyringInput, DiscoveryFilter)
from aws_encryption_sdk import CommitmentPolicy
from conftest import REGION
from kms_support import EVERYTHING, SERVICE, SERVICE_ACCOUNT, Account, allow, certificate, code, deny, refused, service_session

OPERATIONS = [
    "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "CreateGrant", "RetireGrant", "DescribeKey"]
OF_OTHER_KEYS = ["Sign", "Verify", "GetPublicKey", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate"]


@pytest.fixture(scope="module")
def account(cluster):
    return Account(cluster)


@pytest.fixture(scope="module")
def kms(account):
    return account.kms


@pytest.fixture(scope="module")
def people(account):
    """Users without any policy."""
    return {name: account.user(name) for name in ("ann", "ben", "cid")}


@pytest.fixture(scope="module")
def stranger(cluster):
    return Account(cluster)


@pytest.fixture
def key(account):
    return account.key()


def grant(kms, key, grantee, operations=("Encrypt",), **members):
    return kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=list(operations), **members)


def encrypt(client, key, context=None, **members):
    return code(client.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context or {}, **members)


def test_a_grant_is_listed_as_it_was_made(account, kms, people, key):
    made = grant(
        kms, key, account.arn("ann"), OPERATIONS, RetiringPrincipal=account.arn("ben"), Name="n/1",
        Constraints={"EncryptionContextSubset": {"a": "1"}})
    entry, = kms.list_grants(KeyId=key)["Grants"]
    assert entry.pop("CreationDate")
    assert sorted(entry.pop("Operations")) == sorted(OPERATIONS)
    assert entry == {
        "KeyId": key, "GrantId": made["GrantId"], "Name": "n/1", "GranteePrincipal": account.arn("ann"),
        "RetiringPrincipal": account.arn("ben"), "IssuingAccount": account.root,
        "Constraints": {"EncryptionContextSubset": {"a": "1"}}}
    assert base64.b64decode(made["GrantToken"])
    for filtered, count in (({"GrantId": made["GrantId"]}, 1), ({"GranteePrincipal": account.arn("ann")}, 1),
                            ({"GranteePrincipal": account.arn("ben")}, 0), ({"GrantId": "0" * 64}, 0)):
        assert len(kms.list_grants(KeyId=key, **filtered)["Grants"]) == count
    retirable = kms.list_retirable_grants(RetiringPrincipal=account.arn("ben"))["Grants"]
    assert [found["GrantId"] for found in retirable] == [made["GrantId"]]
    event = account.events("CreateGrant")[0]
    assert event["responseElements"] == {"grantId": made["GrantId"]}
    assert made["GrantToken"] not in json.dumps(account.events())


def test_what_a_grant_cannot_be(account, kms, people, key):
    ann = account.arn("ann")
    for operation in OF_OTHER_KEYS:
        assert code(grant, kms, key, ann, [operation]) == "ValidationException", operation
    for operations in ([], ["decrypt"], ["ListGrants"]):
        assert code(grant, kms, key, ann, operations) == "ValidationException", operations
    for principal in ("*", "not an arn"):
        assert code(grant, kms, key, principal) == "ValidationException"
    for principal in (SERVICE, f"arn:aws:iam::{account.id}:group/g", f"arn:aws:iam::{account.id}:user/gone",
                      "arn:aws:iam::000000000001:root"):
        assert code(grant, kms, key, principal) == "InvalidArnException", principal
        assert code(grant, kms, key, ann, RetiringPrincipal=principal) == "InvalidArnException", principal
    pairs = {f"k{n}": "v" for n in range(9)}
    longest = {"k" * 384: "v" * 384}
    for kind in ("EncryptionContextSubset", "EncryptionContextEquals"):
        # None at all would be no constraint, and whoever gave one meant one.
        assert code(grant, kms, key, ann, Constraints={kind: {}}) == "ValidationException"
        assert code(grant, kms, key, ann, Constraints={kind: pairs}) == "ValidationException"
        assert code(grant, kms, key, ann, Constraints={kind: {"k": "v" * 385}}) == "ValidationException"
        assert code(grant, kms, key, ann, Constraints={kind: {"k" * 385: "v"}}) == "ValidationException"
        grant(kms, key, ann, Constraints={kind: dict(list(pairs.items())[:8])})
        grant(kms, key, ann, Constraints={kind: longest})
    assert code(grant, kms, key, ann, Name="with space") == "ValidationException"
    assert code(grant, kms, key, ann, GrantTokens=["AAAA"]) == "InvalidGrantTokenException"


def test_constraints(account, kms, people, key):
    ann, ben = people["ann"], people["ben"]
    grant(kms, key, account.arn("ann"), ["Encrypt", "DescribeKey"], Constraints={"EncryptionContextSubset": {"Dept": "IT"}})
    grant(kms, key, account.arn("ben"), ["Encrypt", "DescribeKey"], Constraints={"EncryptionContextEquals": {"Dept": "IT"}})
    for context, subset, equals in (
            ({"Dept": "IT"}, True, True), ({"dept": "IT"}, True, True), ({"Dept": "IT", "more": "x"}, True, False),
            ({"Dept": "it"}, False, False), ({}, False, False), ({"more": "x"}, False, False)):
        assert encrypt(ann, key, context) == ("" if subset else "AccessDeniedException"), context
        assert encrypt(ben, key, context) == ("" if equals else "AccessDeniedException"), context
    for client in (ann, ben):
        client.describe_key(KeyId=key)


def test_names_and_tokens(account, kms, people, key):
    first = grant(kms, key, account.arn("ann"), ["Encrypt", "Decrypt"], Name="n")
    same = grant(kms, key, account.arn("ann"), ["Decrypt", "Encrypt"], Name="n")
    assert first["GrantId"] == same["GrantId"] and first["GrantToken"] != same["GrantToken"]
    others = [
        grant(kms, key, account.arn("ann"), Name="n"), grant(kms, key, account.arn("ben"), ["Encrypt", "Decrypt"], Name="n"),
        grant(kms, key, account.arn("ann"), ["Encrypt", "Decrypt"], Name="n", RetiringPrincipal=account.arn("ben")),
        grant(kms, key, account.arn("ann"), ["Encrypt", "Decrypt"]), grant(kms, key, account.arn("ann"), ["Encrypt", "Decrypt"])]
    assert len({first["GrantId"], *(other["GrantId"] for other in others)}) == 6
    for token in (first["GrantToken"], same["GrantToken"]):
        assert encrypt(people["ann"], key, GrantTokens=[token]) == ""
    token = bytearray(base64.b64decode(first["GrantToken"]))
    token[5] ^= 1
    assert encrypt(people["ann"], key, GrantTokens=[base64.b64encode(token).decode()]) == "InvalidGrantTokenException"
    assert encrypt(people["ann"], key, GrantTokens=[first["GrantToken"]] * 11) == "ValidationException"
    kms.retire_grant(GrantToken=same["GrantToken"])
    assert first["GrantId"] not in [entry["GrantId"] for entry in kms.list_grants(KeyId=key)["Grants"]]
    assert code(kms.retire_grant, GrantToken=first["GrantToken"]) == "NotFoundException"


def test_whom_a_grant_is_for(cluster, account, kms, people, stranger, key):
    role = account.role("Reader", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": account.root}, "Action": "sts:AssumeRole"}]})

    def session(name):
        made = account.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        return account.client("kms", {
            "aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"]})

    one, two = session("one"), session("two")
    grant(kms, key, f"arn:aws:sts::{account.id}:assumed-role/Reader/one")
    assert encrypt(one, key) == "" and encrypt(two, key) == "AccessDeniedException"
    grant(kms, key, role)
    assert encrypt(two, key) == ""
    # The account hands a grant on by policies of its own.
    grant(kms, key, account.root, ["GenerateDataKey"])
    draw = lambda client: code(client.generate_data_key, KeyId=key, KeySpec="AES_256")  # noqa: E731
    assert draw(people["cid"]) == "AccessDeniedException"
    account.put_policy("cid", allow("kms:GenerateDataKey"))
    assert draw(people["cid"]) == ""
    # Across accounts both sides.
    open_, bare = stranger.user("open", allow("kms:Encrypt")), stranger.user("bare")
    for name in ("open", "bare"):
        grant(kms, key, stranger.arn(name))
    assert encrypt(open_, key) == "" and encrypt(bare, key) == "AccessDeniedException"
    copies = [owner.events("Encrypt")[0] for owner in (account, stranger)]
    assert encrypt(open_, key) == ""
    copies = [owner.events("Encrypt")[0] for owner in (account, stranger)]
    assert copies[0]["sharedEventID"] == copies[1]["sharedEventID"]
    assert copies[0]["userIdentity"]["type"] == "AWSAccount" and copies[1]["userIdentity"]["type"] == "IAMUser"
    # An explicit Deny is stronger than any grant.
    account.user("denied", deny("kms:Encrypt"))
    denied = account.client("kms", account.people["denied"])
    made = grant(kms, key, account.arn("denied"))
    assert encrypt(denied, key, GrantTokens=[made["GrantToken"]]) == "AccessDeniedException"


def test_who_may_retire_and_revoke(account, kms, stranger, key):
    retirer, grantee = account.user("retirer"), account.user("grantee")
    both = account.user("both")
    iam_retirer = account.user("iam-retirer", allow("kms:RetireGrant"))
    revoker = account.user("revoker", allow("kms:RevokeGrant"))
    creator = account.user("creator", allow("kms:CreateGrant"))
    denied = account.user("retirer-denied", deny("kms:RetireGrant"))

    def fresh(to="grantee", operations=("Encrypt",), retiring="retirer"):
        return grant(creator, key, account.arn(to), operations, RetiringPrincipal=account.arn(retiring))["GrantId"]

    def retire(client, made):
        return code(client.retire_grant, KeyId=key, GrantId=made)

    def revoke(client, made):
        return code(client.revoke_grant, KeyId=key, GrantId=made)

    made = fresh()
    for client in (grantee, both, revoker, creator, stranger.kms):
        assert retire(client, made) == "AccessDeniedException"
    for client in (retirer, grantee, iam_retirer, creator, stranger.kms):
        assert revoke(client, made) == "AccessDeniedException"
    assert retire(retirer, made) == "" and retire(retirer, made) == "NotFoundException"
    assert retire(both, fresh("both", ["Encrypt", "RetireGrant"])) == ""
    assert retire(iam_retirer, fresh()) == "" and retire(kms, fresh()) == ""
    made = fresh()
    assert revoke(revoker, made) == "" and revoke(revoker, made) == "NotFoundException"
    assert retire(denied, fresh(retiring="retirer-denied")) == "AccessDeniedException"
    # In the key's policy alone, kms:RetireGrant helps who made the grant and nobody else.
    kms.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": account.root}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": [account.arn("creator"), account.arn("grantee")]},
         "Action": "kms:RetireGrant", "Resource": "*"}]}))
    made = fresh()
    assert retire(grantee, made) == "AccessDeniedException" and retire(creator, made) == ""


def test_grants_made_through_grants(account, kms, people, key):
    ann = people["ann"]
    grant(kms, key, account.arn("ann"), ["CreateGrant", "Encrypt"], Constraints={"EncryptionContextSubset": {"a": "1"}})
    subset, equals = "EncryptionContextSubset", "EncryptionContextEquals"
    for operations, constraints, allowed in (
            (["Encrypt"], {subset: {"a": "1"}}, True), (["Encrypt"], {subset: {"a": "1", "b": "2"}}, True),
            (["Encrypt"], {equals: {"a": "1"}}, True), (["Encrypt", "CreateGrant"], {subset: {"a": "1"}}, True),
            (["Encrypt"], {}, False), (["Encrypt"], {subset: {"a": "2"}}, False), (["Encrypt"], {subset: {"b": "2"}}, False),
            (["Decrypt"], {subset: {"a": "1"}}, False), (["Encrypt", "Decrypt"], {subset: {"a": "1"}}, False)):
        result = code(grant, ann, key, account.arn("ben"), operations, Constraints=constraints)
        assert result == ("" if allowed else "AccessDeniedException"), (operations, constraints)
    strict = account.key()
    grant(kms, strict, account.arn("ann"), ["CreateGrant", "Encrypt"], Constraints={equals: {"a": "1"}})
    assert code(grant, ann, strict, account.arn("ben"), Constraints={equals: {"a": "1"}}) == ""
    for constraints in ({subset: {"a": "1"}}, {equals: {"a": "1", "b": "2"}}):
        assert code(grant, ann, strict, account.arn("ben"), Constraints=constraints) == "AccessDeniedException"


def test_grants_to_the_service_for_one_resource(cluster, account, kms, people, key):
    predictor = f"arn:aws:forecast:{REGION}:{account.id}:predictor/p"
    made = {"KeyId": key, "GranteeServicePrincipal": SERVICE, "Operations": ["GenerateDataKey", "Decrypt"],
            "RetiringServicePrincipal": SERVICE, "Constraints": {"SourceArn": predictor}, "Name": "service"}
    grant_id = kms.create_grant(**made)["GrantId"]
    assert kms.create_grant(**made)["GrantId"] == grant_id
    entry, = kms.list_grants(KeyId=key)["Grants"]
    assert entry["GranteeServicePrincipal"] == SERVICE and entry["RetiringServicePrincipal"] == SERVICE
    assert entry["Constraints"] == {"SourceArn": predictor} and "GranteePrincipal" not in entry
    for changed in ({"Constraints": {}}, {"RetiringServicePrincipal": None}, {"GranteePrincipal": account.arn("ann")},
                    {"RetiringPrincipal": account.arn("ann")}, {"GranteeServicePrincipal": "dynamodb.us-west-2.amazonaws.com"},
                    {"Constraints": {"SourceArn": "arn:aws:forecast:us-west-2:1:predictor/pppp"}}):
        members = {name: value for name, value in {**made, **changed}.items() if value is not None}
        assert code(kms.create_grant, **members) == "ValidationException", changed
    worker = f"arn:aws:iam::{SERVICE_ACCOUNT}:role/forecastle-worker"

    def draw(source):
        client = cluster.client("kms", service_session(cluster, worker, "job1", source, account.id), **certificate(cluster))
        return code(client.generate_data_key, KeyId=key, KeySpec="AES_256")

    assert draw(predictor) == ""
    for other in (predictor + "2", None):
        assert draw(other) == "AccessDeniedException"
    for client in (people["ann"], kms):
        assert code(client.list_retirable_grants, RetiringServicePrincipal=SERVICE) == "AccessDeniedException"
        assert code(client.list_grants, KeyId=key, GranteeServicePrincipal=SERVICE) == "AccessDeniedException"
    with pytest.raises(botocore.exceptions.ClientError):
        service_session(cluster, worker, "job1", predictor, account.id, user="operator")
    sweeper = cluster.client("kms", service_session(
        cluster, f"arn:aws:iam::{SERVICE_ACCOUNT}:role/forecastle-sweeper", "sweep"), **certificate(cluster))
    assert grant_id in [g["GrantId"] for g in sweeper.list_retirable_grants(RetiringServicePrincipal=SERVICE)["Grants"]]
    with refused("AccessDeniedException"):
        people["ann"].retire_grant(KeyId=key, GrantId=grant_id)
    sweeper.retire_grant(KeyId=key, GrantId=grant_id)
    assert draw(predictor) == "AccessDeniedException"
    use = next(event for event in account.events("GenerateDataKey") if "errorCode" not in event)
    assert use["userIdentity"] == {"type": "AWSService", "invokedBy": SERVICE}


SDK = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
MATERIALS = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def keyring(kms, key):
    return MATERIALS.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key, kms_client=kms))


@pytest.mark.parametrize("form", ["key id", "key ARN", "alias name", "alias ARN"])
def test_the_encryption_sdk_names_a_key_by(account, kms, key, form):
    key_id = key.rsplit("/", 1)[1]
    kms.create_alias(AliasName=f"alias/sdk/{key_id}", TargetKeyId=key)
    name = {"key id": key_id, "key ARN": key, "alias name": f"alias/sdk/{key_id}",
            "alias ARN": key.replace(f"key/{key_id}", f"alias/sdk/{key_id}")}[form]
    message, _ = SDK.encrypt(source=b"plain", keyring=keyring(kms, name), encryption_context={"a": "1"})
    # A message names its key by ARN, whatever it was sealed with.
    opened, header = SDK.decrypt(source=message, keyring=keyring(kms, key))
    assert opened == b"plain" and header.encryption_context["a"] == "1"
    discovery = MATERIALS.create_aws_kms_discovery_keyring(CreateAwsKmsDiscoveryKeyringInput(
        kms_client=kms, discovery_filter=DiscoveryFilter(account_ids=[account.id], partition="aws")))
    assert SDK.decrypt(source=message, keyring=discovery)[0] == b"plain"
    with pytest.raises(Exception, match="(?i)unable|mismatch|match|not"):
        SDK.decrypt(source=message, keyring=keyring(kms, account.key()))


def test_the_encryption_sdk_across_accounts(account, kms, stranger, key):
    guest = stranger.user("sdk", allow("kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt"))
    with pytest.raises(Exception, match="AccessDenied|not authorized"):
        SDK.encrypt(source=b"plain", keyring=keyring(guest, key), encryption_context={})
    kms.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": account.root}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": stranger.root}, "Resource": "*",
         "Action": ["kms:GenerateDataKey", "kms:Encrypt", "kms:Decrypt"]}]}))
    key_id = key.rsplit("/", 1)[1]
    kms.create_alias(AliasName=f"alias/shared/{key_id}", TargetKeyId=key)
    for name in (key, key.replace(f"key/{key_id}", f"alias/shared/{key_id}")):
        message, _ = SDK.encrypt(source=b"plain", keyring=keyring(guest, name), encryption_context={})
        assert SDK.decrypt(source=message, keyring=keyring(kms, key))[0] == b"plain"
        assert SDK.decrypt(source=message, keyring=keyring(guest, key))[0] == b"plain"
    # Rotation does not make messages unreadable.
    kms.rotate_key_on_demand(KeyId=key)
    assert SDK.decrypt(source=message, keyring=keyring(guest, key))[0] == b"plain"
    moved = stranger.user("mover", EVERYTHING)
    own = stranger.key()
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert code(moved.re_encrypt, CiphertextBlob=blob, DestinationKeyId=own) == "AccessDeniedException"
    grant(kms, key, stranger.arn("mover"), ["ReEncryptFrom"])
    assert moved.re_encrypt(CiphertextBlob=blob, DestinationKeyId=own, SourceKeyId=key)["KeyId"] == own
