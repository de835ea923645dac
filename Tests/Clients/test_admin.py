"""`forecastle admin`: every command as it succeeds, and as it refuses; every change is in the trail."""
import json
import random
import stat

import botocore.exceptions
import pytest
from conftest import Customer, trust_policy

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "forecast:ListDatasets", "Resource": "*"}]}


class Administrator:
    """The commands in an account of its own."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.account = f"{random.randrange(10 ** 11, 10 ** 12)}"

    def run(self, *arguments):
        return self.cluster.tool("admin", *arguments)

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def refused(self, *arguments):
        """What is said, and that it is no success; a refusal names no host's path of the program and no SQL."""
        result = self.cluster.tool("admin", *arguments, check=False)
        assert result.returncode > 0, result.stdout
        assert result.stderr.strip()
        assert "SELECT" not in result.stderr and "INSERT" not in result.stderr
        return result.stderr

    def file(self, name, document):
        path = self.folder / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)


@pytest.fixture
def admin(cluster, tmp_path):
    administrator = Administrator(cluster, tmp_path)
    administrator.run("account", "create", administrator.account, "--name", "tests")
    return administrator


def test_account(admin):
    listed = {account["account"]: account["name"] for account in admin.json("account", "list")}
    assert listed[admin.account] == "tests"
    assert admin.account in admin.run("account", "list").stdout
    admin.refused("account", "create", admin.account, "--name", "again")
    for wrong in ("12345678901", "1234567890123", "12345678901a"):
        admin.refused("account", "create", wrong, "--name", "wrong")
    assert {account["account"] for account in admin.json("account", "list")} == set(listed)


def test_user(admin):
    in_account = ("--account", admin.account)
    made, = admin.json("user", "create", "ann", *in_account, "--path", "/people/")
    assert made["arn"] == f"arn:aws:iam::{admin.account}:user/people/ann"
    assert admin.json("user", "list", *in_account) == [made]
    admin.refused("user", "create", "ann", *in_account)
    admin.refused("user", "create", "Ann", *in_account)
    admin.refused("user", "create", "with space", *in_account)
    admin.refused("user", "create", "ben", "--account", "000000000000")
    admin.refused("user", "delete", "ben", *in_account)
    key, = admin.json("access-key", "create", *in_account, "--user", "ann", "--output", str(admin.folder / "key"))
    admin.refused("user", "delete", "ann", *in_account)
    admin.run("access-key", "delete", key["accessKeyId"], *in_account)
    admin.run("user", "delete", "ann", *in_account)
    assert admin.json("user", "list", *in_account) == []


def test_access_key_lets_in_until_it_is_deactivated(admin):
    in_account = ("--account", admin.account)
    admin.run("user", "create", "ann", *in_account)
    admin.run("policy", "put", "p", *in_account, "--user", "ann", "--document", admin.file("p.json", ALLOW))
    output = admin.folder / "key.json"
    told = admin.run("access-key", "create", *in_account, "--user", "ann", "--output", str(output))
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    made = json.loads(output.read_text())
    assert made["AccessKeyId"] in told.stdout
    assert made["SecretAccessKey"] not in told.stdout + told.stderr
    forecast = admin.cluster.client("forecast", {
        "aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]})
    assert forecast.list_datasets()["Datasets"] == []

    def status():
        listed = admin.run("access-key", "list", *in_account, "--json").stdout
        assert made["SecretAccessKey"] not in listed
        return {key["accessKeyId"]: key["status"] for key in json.loads(listed)}[made["AccessKeyId"]]

    assert status() == "Active"
    admin.run("access-key", "deactivate", made["AccessKeyId"], *in_account)
    assert status() == "Inactive"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        forecast.list_datasets()
    assert error.value.response["Error"]["Code"] == "UnrecognizedClientException"
    admin.run("access-key", "activate", made["AccessKeyId"], *in_account)
    assert forecast.list_datasets()["Datasets"] == []
    admin.run("access-key", "delete", made["AccessKeyId"], *in_account)
    with pytest.raises(botocore.exceptions.ClientError):
        forecast.list_datasets()
    assert admin.json("access-key", "list", *in_account, "--user", "ann") == []


def test_access_key_refusals_leave_no_file_and_no_key(admin):
    in_account = ("--account", admin.account)
    admin.run("user", "create", "ann", *in_account)
    absent = admin.folder / "absent"
    admin.refused("access-key", "create", *in_account, "--user", "nobody", "--output", str(absent))
    assert not absent.exists()
    admin.file("taken", "somebody else's")
    assert "there already" in admin.refused(
        "access-key", "create", *in_account, "--user", "ann", "--output", str(admin.folder / "taken"))
    assert (admin.folder / "taken").read_text() == "somebody else's"
    for number in range(2):
        admin.run("access-key", "create", *in_account, "--user", "ann", "--output", str(admin.folder / f"key{number}"))
    admin.refused("access-key", "create", *in_account, "--user", "ann", "--output", str(absent))
    assert not absent.exists()
    assert len(admin.json("access-key", "list", *in_account, "--user", "ann")) == 2
    for command in ("activate", "deactivate", "delete"):
        admin.refused("access-key", command, "AKIAABSENTABSENTABSE", *in_account)
    key = admin.json("access-key", "list", *in_account)[0]["accessKeyId"]
    for command in ("activate", "deactivate", "delete"):
        admin.refused("access-key", command, key, "--account", "123456789012")


def test_role(admin):
    in_account = ("--account", admin.account)
    trust = admin.file("trust.json", trust_policy(admin.account))
    made, = admin.json("role", "create", "worker", *in_account, "--trust", trust, "--session-seconds", "7200")
    assert made["arn"] == f"arn:aws:iam::{admin.account}:role/worker"
    assert made["sessionSeconds"] == "7200"
    assert admin.json("role", "list", *in_account) == [made]
    assert json.loads(admin.run("role", "show", "worker", *in_account).stdout) == trust_policy(admin.account)
    other = trust_policy("210987654321")
    admin.run("role", "trust", "worker", *in_account, "--document", admin.file("other.json", other))
    assert json.loads(admin.run("role", "show", "worker", *in_account).stdout) == other

    admin.refused("role", "create", "worker", *in_account, "--trust", trust)
    admin.refused("role", "create", "second", *in_account, "--trust", trust, "--session-seconds", "60")
    admin.refused("role", "create", "second", *in_account, "--trust", admin.file("bad.json", "{"))
    assert "cannot be read" in admin.refused("role", "create", "second", *in_account, "--trust", "/nonexistent")
    admin.refused("role", "trust", "worker", *in_account, "--document", admin.file("bad.json", {"Statement": []}))
    admin.refused("role", "trust", "absent", *in_account, "--document", trust)
    assert "absent" in admin.refused("role", "show", "absent", *in_account)
    admin.refused("role", "delete", "absent", *in_account)
    assert json.loads(admin.run("role", "show", "worker", *in_account).stdout) == other
    admin.run("role", "delete", "worker", *in_account)
    assert admin.json("role", "list", *in_account) == []


def test_policy(admin):
    in_account = ("--account", admin.account)
    admin.run("role", "create", "worker", *in_account, "--trust", admin.file("trust.json", trust_policy(admin.account)))
    of_role = (*in_account, "--role", "worker")
    document = admin.file("p.json", ALLOW)
    admin.run("policy", "put", "access", *of_role, "--document", document)
    assert json.loads(admin.run("policy", "show", "access", *of_role).stdout) == ALLOW
    listed, = admin.json("policy", "list", *of_role)
    assert listed == {"name": "access", "characters": str(len(json.dumps(ALLOW)))}
    changed = {**ALLOW, "Statement": [{**ALLOW["Statement"][0], "Effect": "Deny"}]}
    admin.run("policy", "put", "access", *of_role, "--document", admin.file("q.json", changed))
    assert json.loads(admin.run("policy", "show", "access", *of_role).stdout) == changed

    admin.refused("policy", "put", "second", *of_role, "--document", admin.file("bad.json", "not a policy"))
    admin.refused("policy", "put", "second", *of_role, "--document", admin.file("long.json", " " * (1 << 20) + "x"))
    admin.refused("policy", "put", "second", *in_account, "--role", "absent", "--document", document)
    admin.refused("policy", "put", "second", *in_account, "--user", "absent", "--document", document)
    assert "one of the two" in admin.refused("policy", "put", "second", *in_account, "--document", document)
    assert "one of the two" in admin.refused("policy", "list", *of_role, "--user", "ann")
    assert "second" in admin.refused("policy", "show", "second", *of_role)
    admin.refused("policy", "delete", "second", *of_role)
    assert [policy["name"] for policy in admin.json("policy", "list", *of_role)] == ["access"]
    admin.run("policy", "delete", "access", *of_role)
    assert admin.json("policy", "list", *of_role) == []


def test_missing_options_and_unknown_commands_are_errors_of_use(admin):
    for arguments in (("user", "create", "ann"), ("account", "create", "123456789013"), ("role", "create", "r"),
                      ("access-key", "create", "--account", admin.account), ("group", "list")):
        result = admin.cluster.tool("admin", *arguments, check=False)
        assert result.returncode == 64, (arguments, result.stderr)


def test_changes_are_in_the_accounts_own_trail(admin, cluster):
    """What the command line does is told as such, and no trail holds a secret."""
    in_account = ("--account", admin.account)
    admin.run("user", "create", "auditor", *in_account)
    admin.run("policy", "put", "p", *in_account, "--user", "auditor", "--document", admin.file("p.json", {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "cloudtrail:LookupEvents", "Resource": "*"}]}))
    output = admin.folder / "key.json"
    admin.run("access-key", "create", *in_account, "--user", "auditor", "--output", str(output))
    made = json.loads(output.read_text())
    credentials = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    services = {service: cluster.client(service, credentials) for service in
                ("forecast", "kms", "forecastquery", "cloudtrail")}
    events = Customer(cluster, services, "none").events()
    names = {event["eventName"] for event in events}
    assert {"CreateUser", "PutUserPolicy", "CreateAccessKey"} <= names
    assert made["SecretAccessKey"] not in json.dumps(events)
