"""Accounts and people of the KMS tests, on the session's cluster, and what every call came to."""
import contextlib
import json
import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions
from botocore.awsrequest import AWSRequest
from botocore.auth import SigV4Auth
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from conftest import REGION

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
SERVICE = "forecast.amazonaws.com"
SERVICE_ACCOUNT = "999999999999"


def allow(*actions, resource="*", **condition):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def deny(*actions):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}


class Account:
    """An account of its own, with an administrator."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.id = f"{random.randrange(10 ** 11, 10 ** 12)}"
        # What each operation was answered with, "" for success.
        self.outcomes = defaultdict(set)
        self.folder = cluster.data / "policies"
        self.folder.mkdir(exist_ok=True)
        self.tool("account", "create", self.id, "--name", "kms", account=False)
        self.people = {}
        self.kms = self.user("admin", EVERYTHING)

    def tool(self, *arguments, account=True):
        return self.cluster.tool("admin", *arguments, *(("--account", self.id) if account else ()))

    def file(self, name, document):
        path = self.folder / f"{self.id}.{name}.json"
        path.write_text(json.dumps(document))
        return str(path)

    def user(self, name, policy=None):
        """A new user's KMS client."""
        self.tool("user", "create", name)
        if policy:
            self.put_policy(name, policy)
        key = self.folder / f"{self.id}.{name}.key.json"
        self.tool("access-key", "create", "--user", name, "--output", str(key))
        made = json.loads(key.read_text())
        self.people[name] = {
            "aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
        return self.client("kms", self.people[name])

    def put_policy(self, user, policy, name="p"):
        self.tool("policy", "put", name, "--user", user, "--document", self.file("policy", policy))

    def role(self, name, trust, policy=None):
        self.tool("role", "create", name, "--trust", self.file("trust", trust))
        if policy:
            self.tool("policy", "put", "p", "--role", name, "--document", self.file("policy", policy))
        return f"arn:aws:iam::{self.id}:role/{name}"

    def client(self, service, credentials=None):
        client = self.cluster.client(service, credentials or self.people["admin"])
        if service == "kms":
            client.meta.events.register("after-call.kms", self.note)
        return client

    def note(self, parsed, model, **_):
        self.outcomes[model.name].add(parsed.get("Error", {}).get("Code", ""))

    def arn(self, user="admin"):
        return f"arn:aws:iam::{self.id}:user/{user}"

    @property
    def root(self):
        return f"arn:aws:iam::{self.id}:root"

    def key(self, **members):
        return self.kms.create_key(**members)["KeyMetadata"]["Arn"]

    def events(self, name=None, credentials=None):
        """Records, newest first."""
        lookup = [{"AttributeKey": "EventName", "AttributeValue": name}] if name else []
        page = self.client("cloudtrail", credentials).lookup_events(LookupAttributes=lookup)
        return [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]


def code(call, *arguments, **members):
    """The code that a call is refused with, "" where it succeeds."""
    try:
        call(*arguments, **members)
        return ""
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def together(function, items):
    """Results in order, many at once: the records of calls that come together are made durable together."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(function, items))


def raw(cluster, credentials, target, body):
    """A call that boto3 would not make; gives status and answer."""
    request = AWSRequest(
        method="POST", url=cluster.env["AWS_ENDPOINT_URL_KMS"] + "/", data=json.dumps(body),
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target})
    SigV4Auth(
        Credentials(credentials["aws_access_key_id"], credentials["aws_secret_access_key"]), "kms", REGION).add_auth(request)
    answer = URLLib3Session(verify=cluster.ca_bundle or True).send(request.prepare())
    return answer.status_code, json.loads(answer.content)


@contextlib.contextmanager
def refused(expected):
    """The body is refused with that code."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == expected, error
    else:
        raise AssertionError(f"not refused with {expected}")


def certificate(cluster, role="worker"):
    """What a client needs to be known as a process of the service, for `Cluster.client`."""
    folder = cluster.data / "tls"
    return {"client_cert": (str(folder / f"{role}.pem"), str(folder / f"{role}.key"))}


def service_session(cluster, role, name, source=None, account=None, user="worker"):
    """Credentials of a session that a process of the service makes, for a resource or for none."""
    key = json.loads((cluster.data / "credentials" / f"{user}.json").read_text())
    sts = cluster.client("sts", {
        "aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}, **certificate(cluster))
    if source:
        def add(request, **_):
            request.headers["x-amz-source-arn"] = source
            request.headers["x-amz-source-account"] = account

        sts.meta.events.register("before-sign.sts.AssumeRole", add)
    made = sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"]}
