"""KMS through boto3 and the aws command: each operation as it succeeds, and as it is refused."""
import base64
import datetime
import json

import botocore.session
import pytest
from kms_support import Account, allow, code, raw, refused, together

# What the model has for other kinds of keys, and what is refused with it.
UNSUPPORTED = {
    "ConnectCustomKeyStore", "CreateCustomKeyStore", "Decapsulate", "DeleteCustomKeyStore", "DeleteImportedKeyMaterial",
    "DeriveSharedSecret", "DescribeCustomKeyStores", "DisconnectCustomKeyStore", "Encapsulate", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "GetKeyLastUsage", "GetParametersForImport", "GetPublicKey",
    "ImportKeyMaterial", "ReplicateKey", "Sign", "UpdateCustomKeyStore", "UpdatePrimaryRegion", "Verify", "VerifyMac"}
# The authority decides by its own word, whatever is in front of it; these cannot come from one that works.
FAULTS = {"DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"}
# The model's errors that are about other kinds of keys, or about work that takes a while elsewhere.
IMPOSSIBLE = {
    "ConflictException": "a rotation is done when it is answered",
    "CustomKeyStoreNotFoundException": "no custom stores", "CustomKeyStoreInvalidStateException": "no custom stores",
    "CloudHsmClusterInvalidConfigurationException": "no custom stores", "XksKeyInvalidConfigurationException": "no stores",
    "XksKeyAlreadyInUseException": "no custom stores", "XksKeyNotFoundException": "no custom stores",
}
# Where an error of the model cannot be had from symmetric keys with material of their own.
NOT_HERE = {
    ("EnableKey", "LimitExceededException"), ("PutKeyPolicy", "UnsupportedOperationException"),
    ("EnableKeyRotation", "UnsupportedOperationException"), ("DisableKeyRotation", "UnsupportedOperationException"),
    ("GetKeyRotationStatus", "UnsupportedOperationException"), ("RotateKeyOnDemand", "UnsupportedOperationException"),
    ("ListKeyRotations", "UnsupportedOperationException"), ("CreateKey", "InvalidArnException"),
    # A principal that retires nothing has an empty list.
    ("ListRetirableGrants", "NotFoundException"),
    # Of the 50,001st grant; KeysTests have it, made quicker than by 50,000 calls.
    ("CreateGrant", "LimitExceededException"),
    # A key there is none of answers as the state of every other one, which these pass over.
    *((name, "KMSInvalidStateException") for name in (
        "DeleteAlias", "GetKeyPolicy", "GetKeyRotationStatus", "ListGrants", "ListKeyPolicies", "ListKeyRotations",
        "PutKeyPolicy", "RetireGrant", "RevokeGrant")),
    # The model speaks of data keys; they are sealed with the one usage that there is.
    ("GenerateDataKey", "InvalidKeyUsageException"), ("GenerateDataKeyWithoutPlaintext", "InvalidKeyUsageException"),
}


@pytest.fixture(scope="module")
def model():
    return botocore.session.get_session().get_service_model("kms")


@pytest.fixture(scope="module")
def account(cluster):
    return Account(cluster)


@pytest.fixture(scope="module")
def kms(account):
    return account.kms


@pytest.fixture
def key(account):
    return account.key()


def key_id(arn):
    return arn.rsplit("/", 1)[1]


def test_operations_of_other_keys_are_known_and_what_is_no_operation_is_not(cluster, account, kms, key, model):
    assert UNSUPPORTED < set(model.operation_names)

    def ask(operation):
        status, answer = raw(cluster, account.people["admin"], f"TrentService.{operation}", {"KeyId": key})
        assert (status, answer["__type"]) == (400, "UnsupportedOperationException"), operation
        assert account.events(operation)[0]["errorCode"] == "UnsupportedOperationException"

    together(ask, sorted(UNSUPPORTED))
    for name in ("RotateEverything", "ReEncryptFrom", "ReEncryptTo", ""):
        status, answer = raw(cluster, account.people["admin"], f"TrentService.{name}", {"KeyId": key})
        assert answer["__type"] == "UnknownOperationException", name
    for members in (
            {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"}, {"Origin": "EXTERNAL"},
            {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"}, {"MultiRegion": True}):
        assert code(kms.create_key, **members) == "UnsupportedOperationException", members


def test_the_life_of_a_key(account, kms):
    made = kms.create_key(Description="d", Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]
    assert (made["KeyState"], made["KeySpec"], made["KeyManager"], made["MultiRegion"]) == (
        "Enabled", "SYMMETRIC_DEFAULT", "CUSTOMER", False)
    key = made["KeyId"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"] == made
    kms.update_key_description(KeyId=key, Description="other")
    kms.disable_key(KeyId=key)
    kms.disable_key(KeyId=key)
    described = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (described["Enabled"], described["KeyState"], described["Description"]) == (False, "Disabled", "other")
    kms.enable_key(KeyId=key)
    scheduled = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert scheduled["KeyId"] == made["Arn"] and scheduled["KeyState"] == "PendingDeletion"
    assert scheduled["DeletionDate"] - datetime.datetime.now(datetime.timezone.utc) < datetime.timedelta(days=7)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["PendingDeletionWindowInDays"] == 7
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == made["Arn"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    for days in (6, 31):
        with refused("ValidationException"):
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)
    assert code(kms.create_key, Tags=[{"TagKey": "aws:a", "TagValue": ""}]) == "TagException"
    assert code(kms.create_key, Policy="{}") == "MalformedPolicyDocumentException"
    assert code(kms.create_key, Tags=[{"TagKey": f"k{n}", "TagValue": ""} for n in range(51)]) == "LimitExceededException"
    assert code(kms.update_key_description, KeyId=key, Description="a" * 8193) == "ValidationException"


def test_key_policies(account, kms, key):
    policy = kms.get_key_policy(KeyId=key)
    assert policy["PolicyName"] == "default" and json.loads(policy["Policy"])["Id"] == "key-default-1"
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    kms.put_key_policy(KeyId=key, Policy=policy["Policy"])
    assert code(kms.get_key_policy, KeyId=key, PolicyName="other") == "NotFoundException"
    lockout = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": account.arn()}, "Action": "kms:Decrypt", "Resource": "*"}]}
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key, Policy=json.dumps(lockout))
    nobody = json.loads(policy["Policy"])
    nobody["Statement"].append({
        "Effect": "Allow", "Principal": {"AWS": account.arn("nobody")}, "Action": "kms:*", "Resource": "*"})
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=key, Policy=json.dumps(nobody))
    with refused("LimitExceededException"):
        kms.put_key_policy(KeyId=key, Policy=policy["Policy"] + " " * 32_768)
    kms.put_key_policy(KeyId=key, Policy=json.dumps(lockout), BypassPolicyLockoutSafetyCheck=True)
    assert code(kms.get_key_policy, KeyId=key) == "AccessDeniedException"


def test_rotation(account, kms, key):
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key)
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["RotationPeriodInDays"] == 365 and status["KeyId"] == key
    in_a_year = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=365)
    assert abs(status["NextRotationDate"] - in_a_year) < datetime.timedelta(hours=1)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 90
    blob = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    first = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    for _ in range(25):
        assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == key
    assert code(kms.rotate_key_on_demand, KeyId=key) == "LimitExceededException"
    opened = kms.decrypt(CiphertextBlob=blob)
    assert opened["Plaintext"] == b"old" and opened["KeyMaterialId"] == first
    pages = kms.get_paginator("list_key_rotations").paginate(
        KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL", PaginationConfig={"PageSize": 10})
    rotations = [rotation for page in pages for rotation in page["Rotations"]]
    assert len(rotations) == 26 and rotations[0]["KeyMaterialId"] == first
    assert "RotationDate" not in rotations[0] and {r["RotationType"] for r in rotations[1:]} == {"ON_DEMAND"}
    assert [r["KeyMaterialState"] for r in rotations] == ["NON_CURRENT"] * 25 + ["CURRENT"]
    assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == 25
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    event = account.events("RotateKey")[0]
    assert event["eventType"] == "AwsServiceEvent" and event["resources"][0]["ARN"] == key


def test_tags(kms, key):
    tag = lambda *names: [{"TagKey": name, "TagValue": "v"} for name in names]  # noqa: E731
    kms.tag_resource(KeyId=key, Tags=tag(*(f"k{n:02}" for n in range(50))))
    pages = list(kms.get_paginator("list_resource_tags").paginate(KeyId=key, PaginationConfig={"PageSize": 20}))
    assert len(pages) == 3 and len([t for page in pages for t in page["Tags"]]) == 50
    assert code(kms.tag_resource, KeyId=key, Tags=tag("one more")) == "LimitExceededException"
    kms.untag_resource(KeyId=key, TagKeys=["k00", "none"])
    kms.tag_resource(KeyId=key, Tags=tag("one more"))
    assert code(kms.tag_resource, KeyId=key, Tags=tag("k01", "k01")) == "TagException"
    assert code(kms.tag_resource, KeyId=key, Tags=tag("aws:x")) == "TagException"
    assert code(kms.untag_resource, KeyId=key, TagKeys=["aws:x"]) == "TagException"


def test_aliases(account, kms, key):
    names = [f"alias/{key_id(key)}/{n}" for n in range(51)]
    together(lambda name: kms.create_alias(AliasName=name, TargetKeyId=key), names[:50])
    assert code(kms.create_alias, AliasName=names[50], TargetKeyId=key) == "LimitExceededException"
    assert code(kms.create_alias, AliasName=names[0], TargetKeyId=key) == "AlreadyExistsException"
    other = account.key()
    kms.update_alias(AliasName=names[0], TargetKeyId=other)
    assert kms.describe_key(KeyId=names[0])["KeyMetadata"]["Arn"] == other
    kms.create_alias(AliasName=names[50], TargetKeyId=key)
    assert code(kms.update_alias, AliasName=names[0], TargetKeyId=key) == "LimitExceededException"
    pages = list(kms.get_paginator("list_aliases").paginate(KeyId=key, PaginationConfig={"PageSize": 20}))
    assert len(pages) == 3 and len([a for page in pages for a in page["Aliases"]]) == 50
    kms.delete_alias(AliasName=names[0])
    assert code(kms.delete_alias, AliasName=names[0]) == "NotFoundException"
    assert code(kms.update_alias, AliasName=names[0], TargetKeyId=key) == "NotFoundException"
    for name in ("alias/aws/mine", "data"):
        assert code(kms.create_alias, AliasName=name, TargetKeyId=key) == "InvalidAliasNameException"
    # Alias and key must both allow.
    user = account.user("aliaser", allow("kms:*Alias", resource=f"arn:aws:kms:*:{account.id}:alias/*"))
    assert code(user.update_alias, AliasName=names[1], TargetKeyId=other) == "AccessDeniedException"
    assert code(user.delete_alias, AliasName=names[1]) == "AccessDeniedException"
    account.put_policy("aliaser", allow("kms:*Alias"))
    user.update_alias(AliasName=names[1], TargetKeyId=other)
    user.delete_alias(AliasName=names[1])


def test_use_of_a_key(kms, key):
    context = {"Dept": "IT"}
    for members, count in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024)):
        made = kms.generate_data_key(KeyId=key, EncryptionContext=context, **members)
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context, KeyId=key)
        assert len(made["Plaintext"]) == count and opened["Plaintext"] == made["Plaintext"] and opened["KeyId"] == key
    without = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    assert "Plaintext" not in without and kms.decrypt(CiphertextBlob=without["CiphertextBlob"])["Plaintext"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x" * 4096, EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"] == b"x" * 4096
    for wrong in ({}, {"dept": "IT"}, {"Dept": "it"}, {"Dept": "IT", "more": ""}):
        assert code(kms.decrypt, CiphertextBlob=sealed, EncryptionContext=wrong) == "InvalidCiphertextException"
    assert code(kms.decrypt, CiphertextBlob=b"junk") == "InvalidCiphertextException"
    assert code(kms.decrypt, CiphertextBlob=sealed[:-1] + b"x", EncryptionContext=context) == "InvalidCiphertextException"
    assert len(kms.generate_random(NumberOfBytes=1024)["Plaintext"]) == 1024
    assert code(kms.generate_random, NumberOfBytes=1, CustomKeyStoreId="cks-1") == "UnsupportedOperationException"
    assert code(kms.generate_random) == "ValidationException"
    for members in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 32}):
        assert code(kms.generate_data_key, KeyId=key, **members) == "ValidationException"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1") == "InvalidKeyUsageException"
    assert code(kms.decrypt, CiphertextBlob=sealed, EncryptionAlgorithm="SM2PKE") == "InvalidKeyUsageException"


def test_re_encrypt(account, kms, key):
    other = account.key()
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    source = {"CiphertextBlob": sealed, "SourceEncryptionContext": {"a": "1"}}
    moved = kms.re_encrypt(**source, DestinationKeyId=other, DestinationEncryptionContext={"b": "2"})
    assert moved["SourceKeyId"] == key and moved["KeyId"] == other
    assert moved["SourceKeyMaterialId"] != moved["DestinationKeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"}, KeyId=other)["Plaintext"] == b"x"
    assert code(kms.re_encrypt, CiphertextBlob=sealed, DestinationKeyId=other) == "InvalidCiphertextException"
    assert code(kms.re_encrypt, **source, SourceKeyId=other, DestinationKeyId=other) == "IncorrectKeyException"
    assert code(kms.re_encrypt, **source, DestinationKeyId="none") == "NotFoundException"
    assert code(kms.re_encrypt, **source, DestinationKeyId=other, DestinationEncryptionAlgorithm="SM2PKE") \
        == "InvalidKeyUsageException"
    event = next(event for event in account.events("ReEncrypt") if "errorCode" not in event)
    assert [resource["ARN"] for resource in event["resources"]] == [key, other] and event["readOnly"]


# Enabled, Disabled, PendingDeletion: "" where it goes through.
PENDING, DISABLED = "KMSInvalidStateException", "DisabledException"
NEVER, CHANGE, USE = ("", "", ""), ("", "", PENDING), ("", DISABLED, PENDING)
STATES = {
    "CancelKeyDeletion": (PENDING, PENDING, ""), "CreateAlias": CHANGE, "CreateGrant": USE, "Decrypt": USE,
    "DeleteAlias": NEVER, "DescribeKey": NEVER, "DisableKey": CHANGE, "DisableKeyRotation": USE, "EnableKey": CHANGE,
    "EnableKeyRotation": USE, "Encrypt": USE, "GenerateDataKey": USE, "GenerateDataKeyWithoutPlaintext": USE,
    "GetKeyPolicy": NEVER, "GetKeyRotationStatus": NEVER, "ListAliases": NEVER, "ListGrants": NEVER,
    "ListKeyPolicies": NEVER, "ListKeyRotations": NEVER, "ListResourceTags": NEVER, "PutKeyPolicy": NEVER,
    "ReEncrypt": USE, "RetireGrant": NEVER, "RevokeGrant": NEVER, "RotateKeyOnDemand": USE, "ScheduleKeyDeletion": CHANGE,
    "TagResource": CHANGE, "UntagResource": CHANGE, "UpdateAlias": CHANGE, "UpdateKeyDescription": CHANGE,
}


READS = {name for name in STATES if name.startswith(("Get", "List", "Describe", "Generate", "Encrypt", "Decrypt", "ReEncrypt"))}


class Prepared:
    """A key in a state, and everything that a call on it needs, made before."""

    def __init__(self, account, state):
        kms = account.kms
        self.key, self.other, self.account = account.key(), account.key(), account
        self.alias, self.foreign = f"alias/{key_id(self.key)}", f"alias/{key_id(self.other)}"
        kms.create_alias(AliasName=self.alias, TargetKeyId=self.key)
        kms.create_alias(AliasName=self.foreign, TargetKeyId=self.other)
        self.blob = kms.encrypt(KeyId=self.key, Plaintext=b"x")["CiphertextBlob"]
        self.grant = kms.create_grant(KeyId=self.key, GranteePrincipal=account.arn(), Operations=["Decrypt"])["GrantId"]
        if state == 1:
            kms.disable_key(KeyId=self.key)
        if state == 2:
            kms.schedule_key_deletion(KeyId=self.key)

    def members(self, operation):
        grantee = self.account.arn()
        policy = json.dumps({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": self.account.root}, "Action": "kms:*", "Resource": "*"}]})
        own = {"KeyId": self.key}
        return {
            "CreateAlias": {"AliasName": self.alias + "/2", "TargetKeyId": self.key},
            "CreateGrant": {**own, "GranteePrincipal": grantee, "Operations": ["Encrypt"]},
            "Decrypt": {"CiphertextBlob": self.blob}, "DeleteAlias": {"AliasName": self.alias},
            "Encrypt": {**own, "Plaintext": b"x"}, "GenerateDataKey": {**own, "KeySpec": "AES_256"},
            "GenerateDataKeyWithoutPlaintext": {**own, "KeySpec": "AES_256"}, "PutKeyPolicy": {**own, "Policy": policy},
            "ReEncrypt": {"CiphertextBlob": self.blob, "DestinationKeyId": self.other},
            "RetireGrant": {**own, "GrantId": self.grant}, "RevokeGrant": {**own, "GrantId": self.grant},
            "TagResource": {**own, "Tags": [{"TagKey": "a", "TagValue": "b"}]}, "UntagResource": {**own, "TagKeys": ["a"]},
            # The new target; that the old one's state is nothing to it is a test of its own.
            "UpdateAlias": {"AliasName": self.foreign, "TargetKeyId": self.key},
            "UpdateKeyDescription": {**own, "Description": "d"},
        }.get(operation, own)


@pytest.mark.parametrize("state", [0, 1, 2], ids=["Enabled", "Disabled", "PendingDeletion"])
def test_the_table_of_key_states(account, kms, model, state):
    listed = set(STATES) | UNSUPPORTED | {"CreateKey", "GenerateRandom", "ListKeys", "ListRetirableGrants"}
    assert listed == set(model.operation_names), "every operation that uses a key has its row"
    passing = Prepared(account, state)

    def check(operation):
        # What goes through changes the key, so that it needs one of its own; what is refused does not.
        prepared = passing if STATES[operation][state] or operation in READS else Prepared(account, state)
        members = prepared.members(operation)
        assert code(kms._make_api_call, operation, members) == STATES[operation][state], operation
        if operation in ("RetireGrant", "RevokeGrant"):
            assert code(kms._make_api_call, operation, members) == "NotFoundException"

    together(check, STATES)


def test_re_encrypt_minds_the_destinations_state_and_update_alias_not_the_old_targets(account, kms):
    for state, expected in ((1, DISABLED), (2, PENDING)):
        destination, source = Prepared(account, state), Prepared(account, 0)
        assert code(kms.re_encrypt, CiphertextBlob=source.blob, DestinationKeyId=destination.key) == expected
        kms.update_alias(AliasName=destination.alias, TargetKeyId=source.key)


# Which operations take an alias for their key.
WITH_ALIAS = {"DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"}


def test_identifiers(account, kms):
    shared = Prepared(account, 0)

    def check(operation):
        prepared = shared if operation in READS else Prepared(account, 2 if operation == "CancelKeyDeletion" else 0)
        members = prepared.members(operation)
        name = "TargetKeyId" if "TargetKeyId" in members else "KeyId"
        if name not in members or operation in ("RetireGrant", "ListAliases"):
            return
        alias_arn = prepared.key.replace(f"key/{key_id(prepared.key)}", prepared.alias)
        by_alias, by_alias_arn = (
            ("", "") if operation in WITH_ALIAS else ("NotFoundException", "InvalidArnException"))
        for value, expected in (
                (prepared.alias, by_alias), (alias_arn, by_alias_arn), ("not an id", "NotFoundException"),
                ("1234abcd-12ab-34cd-56ef-1234567890ab", "NotFoundException"), ("a" * 2049, "ValidationException"),
                ("arn:aws:kms:us-west-2:1:key/1", "InvalidArnException"), (key_id(prepared.key), "")):
            assert code(kms._make_api_call, operation, {**members, name: value}) == expected, (operation, value)

    together(check, STATES)
    # By ARN, and for decryption by every form.
    prepared = Prepared(account, 0)
    for form in (prepared.key, key_id(prepared.key), prepared.alias, prepared.key.replace(
            f"key/{key_id(prepared.key)}", prepared.alias)):
        assert kms.decrypt(CiphertextBlob=prepared.blob, KeyId=form)["KeyId"] == prepared.key
        assert kms.re_encrypt(CiphertextBlob=prepared.blob, SourceKeyId=form, DestinationKeyId=form)["KeyId"] == prepared.key
    assert code(kms.decrypt, CiphertextBlob=prepared.blob, KeyId=prepared.other) == "IncorrectKeyException"
    assert code(kms.retire_grant, KeyId=key_id(prepared.key), GrantId=prepared.grant) == "InvalidArnException"


def test_dry_runs_do_nothing(account, kms):
    nobody = account.user("dry")
    prepared = Prepared(account, 0)
    before = kms.list_grants(KeyId=prepared.key)["Grants"]
    for operation in ("CreateGrant", "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt",
                      "RetireGrant", "RevokeGrant"):
        members = {**prepared.members(operation), "DryRun": True}
        assert code(kms._make_api_call, operation, members) == "DryRunOperationException", operation
        assert code(nobody._make_api_call, operation, members) == "AccessDeniedException", operation
    assert kms.list_grants(KeyId=prepared.key)["Grants"] == before
    ignoring = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    assert code(kms.decrypt, KeyId=prepared.key, **ignoring) == "DryRunOperationException"
    assert code(kms.re_encrypt, SourceKeyId=prepared.key, DestinationKeyId=prepared.other, **ignoring) \
        == "DryRunOperationException"
    assert code(kms.decrypt, DryRun=True) == "ValidationException"
    assert code(kms.decrypt, **ignoring) == "ValidationException"


def test_paging_and_markers(account, kms, key):
    for number in range(3):
        kms.create_grant(
            KeyId=key, GranteePrincipal=account.arn(), RetiringPrincipal=account.root, Operations=["Decrypt"],
            Name=f"page/{number}")
        kms.create_alias(AliasName=f"alias/page/{key_id(key)}/{number}", TargetKeyId=key)
        account.key()
        kms.rotate_key_on_demand(KeyId=key)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": f"t{n}", "TagValue": ""} for n in range(3)])
    own = {"KeyId": key}
    listings = {
        "list_keys": ("Keys", {}), "list_aliases": ("Aliases", own), "list_grants": ("Grants", own),
        "list_retirable_grants": ("Grants", {"RetiringPrincipal": account.root}), "list_resource_tags": ("Tags", own),
        "list_key_rotations": ("Rotations", own), "list_key_policies": ("PolicyNames", own)}
    for operation, (name, members) in listings.items():
        whole = getattr(kms, operation)(**members)[name]
        pages = list(kms.get_paginator(operation).paginate(**members, PaginationConfig={"PageSize": 1}))
        assert [entry for page in pages for entry in page[name]][:len(whole)] == whole, operation
        if operation != "list_key_policies":
            assert len(pages) >= 3 and pages[0]["Truncated"] and not pages[-1]["Truncated"], operation
        for marker in ("x", base64.b64encode(b"\1" * 40).decode()):
            assert code(getattr(kms, operation), **members, Marker=marker) == "InvalidMarkerException", operation
    foreign = kms.list_keys(Limit=1)["NextMarker"]
    assert code(kms.list_grants, KeyId=key, Marker=foreign) == "InvalidMarkerException"
    assert code(kms.list_grants, KeyId=account.key(), Marker=kms.list_grants(KeyId=key, Limit=1)["NextMarker"]) \
        == "InvalidMarkerException"
    assert kms.list_keys(ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])["Keys"] == []


def test_another_accounts_key_answers_as_one_that_is_not_there(cluster, account, key):
    stranger = Account(cluster)
    absent = key[:-4] + "0000"
    prepared = Prepared(account, 0)

    def check(operation):
        members = prepared.members(operation)
        if "KeyId" not in members or operation in ("ListAliases", "RetireGrant"):
            return
        messages = set()
        for target in (key, absent):
            status, answer = raw(
                cluster, stranger.people["admin"], f"TrentService.{operation}",
                json.loads(json.dumps({**members, "KeyId": target}, default=lambda b: base64.b64encode(b).decode())))
            assert answer["__type"] == "AccessDeniedException", operation
            messages.add(answer["message"].replace(target, "KEY"))
        assert len(messages) == 1, operation

    together(check, STATES)


def test_the_aws_command(cluster, account, tmp_path):
    def blob(text):
        path = tmp_path / "blob"
        path.write_bytes(base64.b64decode(text))
        return f"fileb://{path}"

    environment = dict(cluster.env)
    cluster.env = {
        **environment, "AWS_ACCESS_KEY_ID": account.people["admin"]["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": account.people["admin"]["aws_secret_access_key"]}
    try:
        key = cluster.cli("kms", "create-key", "--description", "by hand")["KeyMetadata"]["KeyId"]
        cluster.cli("kms", "create-alias", "--alias-name", "alias/cli", "--target-key-id", key)
        cluster.cli("kms", "enable-key-rotation", "--key-id", key, "--rotation-period-in-days", "180")
        assert cluster.cli("kms", "get-key-rotation-status", "--key-id", key)["RotationPeriodInDays"] == 180
        sealed = cluster.cli("kms", "encrypt", "--key-id", "alias/cli", "--plaintext", blob("aGVsbG8="))["CiphertextBlob"]
        moved = cluster.cli("kms", "re-encrypt", "--ciphertext-blob", blob(sealed), "--destination-key-id", key,
                            "--destination-encryption-context", "a=b")["CiphertextBlob"]
        opened = cluster.cli("kms", "decrypt", "--ciphertext-blob", blob(moved), "--encryption-context", "a=b")
        assert opened["Plaintext"] == "aGVsbG8="
        cluster.cli("kms", "tag-resource", "--key-id", key, "--tags", "TagKey=a,TagValue=b")
        assert cluster.cli("kms", "list-resource-tags", "--key-id", key)["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
        denied = cluster.cli("kms", "encrypt", "--key-id", key, "--plaintext", blob("aGVsbG8="), "--dry-run", check=False)
        assert denied.returncode > 0 and "DryRunOperationException" in denied.stderr
        cluster.cli("kms", "delete-alias", "--alias-name", "alias/cli")
        gone = cluster.cli("kms", "describe-key", "--key-id", "alias/cli", check=False)
        assert "NotFoundException" in gone.stderr
    finally:
        cluster.env = environment


def test_every_operation_succeeded_and_every_documented_error_was_had(account, kms, key, model):
    """Runs last: what is still missing is asked for here, by the model's own list of errors."""
    prepared = Prepared(account, 0)
    for operation in ("DescribeKey", "Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt",
                      "CreateGrant"):
        members = {**prepared.members(operation), "GrantTokens": ["AAAA"]}
        assert code(kms._make_api_call, operation, members) == "InvalidGrantTokenException"
    assert code(kms.retire_grant, GrantToken="AAAA") == "InvalidGrantTokenException"
    for call in (kms.list_grants, kms.revoke_grant, kms.retire_grant):
        assert code(call, KeyId=key, GrantId="x") == "InvalidGrantIdException"
    assert code(kms.list_retirable_grants, RetiringPrincipal="nobody") == "InvalidArnException"
    assert code(kms.create_grant, KeyId=key, GranteePrincipal=account.arn("none"), Operations=["Decrypt"]) == "InvalidArnException"
    assert code(kms.list_aliases, KeyId="none") == "NotFoundException"
    assert code(kms.decrypt, CiphertextBlob=prepared.blob, KeyId="not an id") == "NotFoundException"
    assert code(kms.list_aliases, KeyId="arn:aws:kms:x:1:key/1") == "InvalidArnException"
    assert code(kms.create_alias, AliasName="alias/n", TargetKeyId="none") == "NotFoundException"
    kms.list_retirable_grants(RetiringPrincipal=account.root)
    missing = []
    for name in sorted(set(model.operation_names) - UNSUPPORTED):
        had = account.outcomes[name]
        if "" not in had:
            missing.append((name, "success"))
        documented = {error.name for error in model.operation_model(name).error_shapes}
        for error in sorted(documented - FAULTS - set(IMPOSSIBLE) - had):
            if (name, error) not in NOT_HERE:
                missing.append((name, error))
    assert missing == [], missing
