"""What the Forecast API has decided for its callers, row by row of the documented table; and who may say for whom it acts."""
import json
import re
import subprocess
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from conftest import ACCOUNT, BIN, REGION, ROOT, Customer, SERVICES, monthly_csv, trust_policy

ACTIONS = {
    "passRole": ["iam:PassRole"], "useKey": ["kms:Decrypt", "kms:GenerateDataKey"],
    "readBucket": ["s3:GetObject", "s3:ListBucket"], "writeBucket": ["s3:PutObject"],
}


def documented():
    """Operation → [(right, of what)], of docs/forecastapi.md."""
    text = (ROOT / "docs" / "forecastapi.md").read_text().split("\n## What is asked\n")[1].split("\n## ")[0]
    rows = {}
    for operation, asks in re.findall(r"^\| ([A-Z]\w+) \| [^|]+ \| (.+) \|$", text, re.M):
        rows[operation] = re.findall(r"`(\w+)` ([^,`]+?)(?:,|$)", asks) if asks != "–" else []
    return rows


ROWS = documented()


def models():
    """Every operation of the two models."""
    loader = boto3.session.Session()
    return {name: loader.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
            for service in ("forecast", "forecastquery")
            for name in loader.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
            .meta.service_model.operation_names}


MODELS = models()


def test_every_row_is_an_operation_of_the_model():
    assert set(ROWS) <= set(MODELS)
    assert len(ROWS) == 34


class World:
    """One of everything, under three keys of the customer's."""

    def __init__(self, customer):
        self.customer = customer
        f = customer.forecast
        self.roles = {name: customer.role(f"Rows{name}") for name in ("Data", "Model", "Bucket")}
        self.keys = {name: customer.key(role) for name, role in self.roles.items()}
        # A role that may do nothing with the bucket.
        self.roles["Poor"] = customer.role("RowsPoor", policy={"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::nothing/*"}]})
        self.dataset = customer.dataset("rows", self.keys["Data"], self.roles["Data"])
        self.path = customer.put("rows/h.csv", monthly_csv(items=2))
        self.group = f.create_dataset_group(
            DatasetGroupName="rows", Domain="CUSTOM", DatasetArns=[self.dataset])["DatasetGroupArn"]
        self.import_ = customer.import_("rows", self.dataset, self.path, self.roles["Data"])
        assert customer.wait(self.import_)["Status"] == "ACTIVE"
        encryption = {"KMSKeyArn": self.keys["Model"], "RoleArn": self.roles["Model"]}
        self.auto = f.create_auto_predictor(
            PredictorName="rows", ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": self.group},
            EncryptionConfig=encryption)["PredictorArn"]
        self.predictor = f.create_predictor(**self.legacy("rowslegacy"))["PredictorArn"]
        for arn in (self.auto, self.predictor):
            done = customer.wait(arn)
            assert done["Status"] == "ACTIVE", done.get("Message")
        self.forecast = f.create_forecast(ForecastName="rows", PredictorArn=self.auto)["ForecastArn"]
        assert customer.wait(self.forecast)["Status"] == "ACTIVE"
        self.export = f.create_forecast_export_job(
            ForecastExportJobName="rows", ForecastArn=self.forecast, Destination=self.destination())["ForecastExportJobArn"]
        self.backtest = f.create_predictor_backtest_export_job(
            PredictorBacktestExportJobName="rows", PredictorArn=self.auto,
            Destination=self.destination())["PredictorBacktestExportJobArn"]
        for arn in (self.export, self.backtest):
            done = customer.wait(arn)
            assert done["Status"] == "ACTIVE", done.get("Message")

    def legacy(self, name, **change):
        return {
            "PredictorName": name, "ForecastHorizon": 3, "PerformAutoML": True,
            "InputDataConfig": {"DatasetGroupArn": self.group}, "FeaturizationConfig": {"ForecastFrequency": "M"},
            "EncryptionConfig": {"KMSKeyArn": self.keys["Model"], "RoleArn": self.roles["Model"]}, **change}

    def destination(self, role="Bucket"):
        return {"S3Config": {"Path": "s3://customer/rows-out", "RoleArn": self.roles[role], "KMSKeyArn": self.keys["Bucket"]}}

    def parameters(self, operation, role=None):
        """A whole request of the operation; `role` takes the place of the role that is passed for a bucket."""
        encryption = {"KMSKeyArn": self.keys["Model"], "RoleArn": self.roles["Model"]}
        dataset_schema = {"Attributes": [
            {"AttributeName": "item_id", "AttributeType": "string"},
            {"AttributeName": "timestamp", "AttributeType": "timestamp"},
            {"AttributeName": "target_value", "AttributeType": "float"}]}
        arns = {
            "Dataset": self.dataset, "DatasetGroup": self.group, "DatasetImportJob": self.import_, "Predictor": self.predictor,
            "PredictorBacktestExportJob": self.backtest, "Forecast": self.forecast, "ForecastExportJob": self.export}
        whole = {
            "CreateDataset": {
                "DatasetName": "rowsnew", "Domain": "CUSTOM", "DatasetType": "TARGET_TIME_SERIES", "DataFrequency": "M",
                "Schema": dataset_schema, "EncryptionConfig": encryption},
            "CreateDatasetGroup": {"DatasetGroupName": "rowsnew", "Domain": "CUSTOM"},
            "UpdateDatasetGroup": {"DatasetGroupArn": self.group, "DatasetArns": [self.dataset]},
            "CreateDatasetImportJob": {
                "DatasetImportJobName": "rowsnew", "DatasetArn": self.dataset, "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
                "DataSource": {"S3Config": {
                    "Path": self.path, "RoleArn": self.roles[role or "Data"], "KMSKeyArn": self.keys["Data"]}}},
            "CreateAutoPredictor": {
                "PredictorName": "rowsnew", "ForecastHorizon": 3, "ForecastFrequency": "M",
                "DataConfig": {"DatasetGroupArn": self.group}, "EncryptionConfig": encryption},
            "CreatePredictor": self.legacy("rowsnew"),
            "GetAccuracyMetrics": {"PredictorArn": self.auto},
            "CreatePredictorBacktestExportJob": {
                "PredictorBacktestExportJobName": "rowsnew", "PredictorArn": self.auto,
                "Destination": self.destination(role or "Bucket")},
            "CreateForecast": {"ForecastName": "rowsnew", "PredictorArn": self.auto},
            "QueryForecast": {"ForecastArn": self.forecast, "Filters": {"item_id": "item1"}},
            "CreateForecastExportJob": {
                "ForecastExportJobName": "rowsnew", "ForecastArn": self.forecast,
                "Destination": self.destination(role or "Bucket")},
            "StopResource": {"ResourceArn": self.import_},
            "DescribeAutoPredictor": {"PredictorArn": self.auto},
        }
        if operation in whole:
            return whole[operation]
        if operation.startswith("List"):
            return {}
        kind = re.sub("^(Describe|Delete)", "", operation)
        return {f"{kind}Arn": arns[kind]}

    def subjects(self, right, of):
        """The role or key that an ask is about."""
        name = {
            "EncryptionConfig": "Model", "DataSource": "Data", "the dataset": "Data", "the group's datasets": "Data",
            "the predictor": "Model", "the forecast": "Model", "Destination": "Bucket",
            "the dataset (FieldStatistics alone)": "Data"}[of]
        return self.roles[name] if right == "passRole" else self.keys[name]


@pytest.fixture(scope="module")
def world(customer):
    return World(customer)


@pytest.fixture(scope="module")
def limited(world):
    """A user that may do everything but what a test denies it, and its clients."""
    customer = world.customer
    credentials = customer.user("rowslimited")
    clients = {service: customer.cluster.client(service, credentials) for service in ("forecast", "forecastquery")}

    def call(operation, denied, role=None):
        statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        if denied:
            statements.append({"Effect": "Deny", "Action": denied[0], "Resource": denied[1]})
        path = customer.cluster.data / "policies" / "rowslimited.json"
        path.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}))
        customer.cluster.tool("admin", "policy", "put", "access", "--account", ACCOUNT, "--user", "rowslimited",
                              "--document", str(path))
        client = clients["forecastquery" if operation == "QueryForecast" else "forecast"]
        return client._make_api_call(operation, world.parameters(operation, role))
    return call


@pytest.mark.parametrize("operation", sorted(ROWS))
def test_a_caller_is_asked_for_everything_in_the_row(world, limited, operation):
    denials = [(f"forecast:{operation}", "*", None)]
    optional = []
    for right, of in ROWS[operation]:
        for action in ACTIONS[right]:
            if right in ("readBucket", "writeBucket"):
                denials.append((action, None, "Poor"))
            elif "FieldStatistics" in of:
                optional.append((action, world.subjects(right, of)))
            else:
                denials.append((action, world.subjects(right, of), None))
    for action, resource, role in denials:
        with pytest.raises(ClientError) as refused:
            limited(operation, (action, resource) if resource else None, role)
        error = refused.value.response["Error"]
        assert error["Code"] == "AccessDeniedException", (operation, action, error)
        if role is None:
            assert f"not authorized to perform: {action} on resource" in error["Message"], (operation, action, error)
        else:
            assert "not authorized to perform: s3:" in error["Message"], (operation, action, error)
    for action, key in optional:
        assert "FieldStatistics" not in limited(operation, (action, key))
        records = world.customer.events(operation)
        assert not records[-1].get("errorCode"), "what is optional is no refusal"
    if optional:
        assert "FieldStatistics" in limited(operation, None)


def test_operations_that_are_not_in_the_table_are_unknown(customer):
    missing = set(MODELS) - set(ROWS)
    assert {"CreateExplainability", "CreateMonitor", "TagResource", "QueryWhatIfForecast"} <= missing
    for operation in sorted(missing)[:5]:
        with pytest.raises(ClientError) as refused:
            signed(customer.cluster, "forecast", f"AmazonForecast.{operation}", "{}")
        assert refused.value.response["Error"]["Code"] == "UnknownOperationException"


def signed(cluster, service, target, body, key=None, headers=(), unsigned=(), endpoint=None):
    """A signed call, with headers that no SDK would send."""
    key = key or (cluster.env["AWS_ACCESS_KEY_ID"], cluster.env["AWS_SECRET_ACCESS_KEY"], None)
    endpoint = endpoint or cluster.env[f"AWS_ENDPOINT_URL_{service.upper()}"]
    request = AWSRequest("POST", endpoint + "/", data=body, headers={
        "X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", **dict(headers)})
    SigV4Auth(Credentials(*key), service, REGION).add_auth(request)
    sent = urllib.request.Request(
        endpoint + "/", data=body.encode(), headers={**dict(request.headers.items()), **dict(unsigned)}, method="POST")
    try:
        return json.loads(cluster.urlopen(sent).read() or "{}")
    except urllib.error.HTTPError as error:
        answer = json.loads(error.read())
        raise ClientError({"Error": {
            "Code": answer.get("__type", "").split("#")[-1], "Message": answer.get("message", answer.get("Message", ""))}},
            target) from None


SOURCE = {
    "x-amz-source-arn": f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset/d", "x-amz-source-account": ACCOUNT,
}


@pytest.fixture(scope="module")
def spoofer(customer):
    """A role of the customer's own that its users may assume too, and a key that the documents' policy opens to it."""
    trust = trust_policy()
    trust["Statement"].append({
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"})
    role = customer.role("Spoofer", trust=trust)
    return role, customer.key(role)


def with_headers(client, headers):
    client.meta.events.register("before-sign.*.*", lambda request, **_: [
        request.headers.add_header(name, value) for name, value in headers.items()])
    return client


@pytest.mark.parametrize("header", sorted(SOURCE) + ["x-amz-forecastle-source-ip", "x-amz-forecastle-user-agent"])
def test_a_customer_cannot_say_for_whom_it_acts(customer, spoofer, header):
    value = SOURCE.get(header, "203.0.113.9")
    sts = with_headers(customer.cluster.client("sts"), {header: value})
    with pytest.raises(ClientError) as refused:
        sts.assume_role(RoleArn=spoofer[0], RoleSessionName="test")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_customers_own_session_has_no_record_and_headers_make_none(customer, spoofer):
    role, key = spoofer
    session = customer.cluster.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    token = {"aws_access_key_id": session["AccessKeyId"], "aws_secret_access_key": session["SecretAccessKey"],
             "aws_session_token": session["SessionToken"]}
    grant = {"KeyId": key, "GranteePrincipal": role, "Operations": ["Decrypt"]}
    # The key's policy opens it to the role through the service alone (kms:ViaService), as in the documents.
    for headers in ({}, SOURCE, {**SOURCE, "x-amz-via-service": f"forecast.{REGION}.amazonaws.com"}):
        kms = with_headers(customer.cluster.client("kms", token), headers)
        for call, parameters in ((kms.create_grant, grant), (kms.describe_key, {"KeyId": key})):
            with pytest.raises(ClientError) as refused:
                call(**parameters)
            assert refused.value.response["Error"]["Code"] == "AccessDeniedException", headers
    # A header of that kind that is not signed refuses the whole call.
    with pytest.raises(ClientError) as refused:
        signed(customer.cluster, "kms", "TrentService.DescribeKey", json.dumps({"KeyId": key}), unsigned=SOURCE)
    assert refused.value.response["Error"]["Code"] in (
        "InvalidSignatureException", "IncompleteSignatureException"), refused.value
    # Nor does a session hand a record on: a role assumed from it is the customer's, headers or none.
    chained = with_headers(customer.cluster.client("sts", token), SOURCE)
    with pytest.raises(ClientError):
        chained.assume_role(RoleArn=role, RoleSessionName="chained")


def test_conditions_see_the_record_of_the_services_session(customer, name):
    """SourceArn, SourceAccount, ViaService, CallerAccount and GrantIsForAWSResource, each as a condition of its own."""
    role = customer.role(f"Seen{name}")
    conditions = {
        "StringEquals": {
            "kms:ViaService": f"forecast.{REGION}.amazonaws.com", "kms:CallerAccount": ACCOUNT,
            "aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:forecast:{REGION}:{ACCOUNT}:*"},
    }
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:DescribeKey", "Resource": "*", "Condition": conditions},
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:CreateGrant", "Resource": "*", "Condition": {
            **conditions, "Bool": {"kms:GrantIsForAWSResource": "true"}}},
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:RetireGrant", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"},
    ]
    key = customer.kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))["KeyMetadata"]["Arn"]
    dataset = customer.dataset(name, key, role, frequency="M")
    path = customer.put(f"{name}/h.csv", monthly_csv(items=1))
    assert customer.wait(customer.import_("job", dataset, path, role))["Status"] == "ACTIVE"
    customer.assert_no_grant_left(key)
    conditions["StringEquals"]["aws:SourceAccount"] = "210987654321"
    customer.kms.put_key_policy(
        KeyId=key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    with pytest.raises(ClientError) as refused:
        customer.import_("again", dataset, path, role)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_only_the_api_may_ask_authorize(cluster, customer):
    worker = json.loads((cluster.data / "credentials" / "worker.json").read_text())
    for key in (None, (worker["AccessKeyId"], worker["SecretAccessKey"], None)):
        with pytest.raises(ClientError) as refused:
            signed(cluster, "forecast", "ForecastleAuthority.Authorize", "{}", key,
                   endpoint=cluster.env["AWS_ENDPOINT_URL_KMS"])
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    # Nor can it be asked without a signature.
    sent = urllib.request.Request(
        cluster.env["AWS_ENDPOINT_URL_KMS"] + "/", data=b"{}", headers={"X-Amz-Target": "ForecastleAuthority.Authorize"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        cluster.urlopen(sent)
    assert b"MissingAuthenticationToken" in refused.value.read()


@pytest.mark.parametrize("role", ["authority", "api"])
def test_nothing_listens_beyond_this_machine_without_tls(cluster, role):
    result = subprocess.run(
        [BIN / "forecastle", role, "--config", cluster.data / "forecastle.yaml", f"--{role}-host", "0.0.0.0",
         f"--{role}-port", "0", f"--{role}-tls-certificate-file=", f"--{role}-tls-key-file="], capture_output=True, text=True, timeout=120)
    assert result.returncode != 0
    assert "host must be 127.0.0.1, ::1 or localhost" in result.stdout + result.stderr
