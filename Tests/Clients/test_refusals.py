"""What is refused at the call, and how it reads."""
import json

import botocore.exceptions
import pytest
from conftest import ACCOUNT, REGION, key_policy, monthly_csv, trust_policy, wait_for


def code(error):
    return error.value.response["Error"]["Code"]


def test_a_role_without_rights_on_the_key_is_denied_at_create(customer, name):
    role = customer.role(f"NoKey{name}")
    other = customer.role(f"Other{name}")
    key = customer.key(other)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        customer.dataset(name, key, role)
    assert code(error) == "AccessDeniedException"


def test_a_caller_without_rights_is_denied(cluster, customer, name):
    forecast = cluster.client("forecast", customer.user(name))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        forecast.list_datasets()
    assert code(error) == "AccessDeniedException"


def test_a_caller_that_may_not_use_the_key_is_denied(cluster, customer, name):
    role = customer.role(f"Role{name}")
    key = customer.key(role)
    forecast = cluster.client("forecast", customer.user(name, {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["forecast:*", "iam:PassRole"], "Resource": "*"}]}))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        forecast.create_dataset(
            DatasetName=name, Domain="CUSTOM", DatasetType="TARGET_TIME_SERIES",
            Schema={"Attributes": [{"AttributeName": "item_id", "AttributeType": "string"},
                                   {"AttributeName": "timestamp", "AttributeType": "timestamp"},
                                   {"AttributeName": "target_value", "AttributeType": "float"}]},
            EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})
    assert code(error) == "AccessDeniedException"


def test_a_role_that_does_not_trust_forecast_is_denied(customer, name):
    trust = trust_policy()
    trust["Statement"][0]["Principal"] = {"Service": "sagemaker.amazonaws.com"}
    role = customer.role(f"NoTrust{name}", trust=trust)
    key = customer.key(role)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        customer.dataset(name, key, role)
    assert code(error) == "AccessDeniedException"


def test_a_foreign_role_is_invalid(customer, name):
    role = customer.role(f"Mine{name}")
    key = customer.key(role)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        customer.dataset(name, key, "arn:aws:iam::210987654321:role/Theirs")
    assert code(error) in ("InvalidInputException", "AccessDeniedException")


def test_a_disabled_key_is_refused_at_create(customer, name):
    role = customer.role(f"Disabled{name}")
    key = customer.key(role)
    customer.kms.disable_key(KeyId=key)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        customer.dataset(name, key, role)
    assert code(error) == "AccessDeniedException"


def test_a_forecast_with_a_revoked_key_is_access_denied(customer, name):
    """The documents' own example: CreateForecast on a predictor whose key can't be reached any more."""
    role = customer.role(f"Gone{name}")
    key = customer.key(role)
    path = customer.put(f"{name}/h.csv", monthly_csv(items=1))
    dataset = customer.dataset(name, key, role)
    group = customer.forecast.create_dataset_group(
        DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    assert customer.wait(customer.import_("first", dataset, path, role))["Status"] == "ACTIVE"
    predictor = customer.forecast.create_auto_predictor(
        PredictorName=name, ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]
    assert customer.wait(predictor)["Status"] == "ACTIVE"
    customer.kms.disable_key(KeyId=key)
    with pytest.raises(botocore.exceptions.ClientError) as error:
        customer.forecast.create_forecast(ForecastName=name, PredictorArn=predictor)
    assert code(error) == "AccessDeniedException"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        customer.forecast.get_accuracy_metrics(PredictorArn=predictor)
    assert code(error) == "AccessDeniedException"
    described = customer.forecast.describe_dataset_import_job(
        DatasetImportJobArn=f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset-import-job/{name}/first")
    assert described["Status"] == "ACTIVE" and "FieldStatistics" not in described


def test_a_wrong_secret_is_one_answer(cluster):
    forecast = cluster.client("forecast", {
        "aws_access_key_id": cluster.env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "x" * 40})
    with pytest.raises(botocore.exceptions.ClientError) as error:
        forecast.list_datasets()
    assert code(error) == "InvalidSignatureException"


def test_an_unknown_key_id_is_one_answer(cluster):
    forecast = cluster.client("forecast", {
        "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x" * 40})
    with pytest.raises(botocore.exceptions.ClientError) as error:
        forecast.list_datasets()
    assert code(error) == "UnrecognizedClientException"


@pytest.mark.parametrize("call, parameters, expected", [
    ("create_dataset_group", dict(DatasetGroupName="1-bad name!", Domain="CUSTOM"), "ValidationException"),
    ("create_dataset_group", dict(DatasetGroupName="x" * 64, Domain="CUSTOM"), "ValidationException"),
    ("create_dataset_group", dict(DatasetGroupName="fine", Domain="NOPE"), "ValidationException"),
    ("list_datasets", dict(MaxResults=101), "ValidationException"),
    ("list_datasets", dict(NextToken="nonsense"), "InvalidNextTokenException"),
    ("describe_dataset", dict(DatasetArn=f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset/absent"),
     "ResourceNotFoundException"),
    ("stop_resource", dict(ResourceArn=f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset-import-job/a/b"),
     "ResourceNotFoundException"),
])
def test_bad_input_has_the_documented_code(forecast, call, parameters, expected):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        getattr(forecast, call)(**parameters)
    assert code(error) == expected


def test_names_are_taken_once(customer, name):
    customer.dataset(name)
    with pytest.raises(customer.forecast.exceptions.ResourceAlreadyExistsException):
        customer.dataset(name)


def put_resource(cluster, kind, path, parent=None, account=ACCOUNT):
    """A resource as the catalog holds one that a job is at work on."""
    arn = f"arn:aws:forecast:{REGION}:{account}:{kind}/{path}"
    cluster.sql("jobs", f"""
        INSERT INTO resources (arn, account, type, name, incarnation, status, parent_arn, request)
        VALUES ('{arn}', '{account}', '{kind}', '{path.split("/")[-1]}', gen_random_uuid(), 'CREATE_IN_PROGRESS',
                {f"'{parent}'" if parent else "NULL"}, '{{}}')""")
    return arn


def creations(customer, name, dataset, group, predictor, forecast, role):
    """A call of each operation that makes something out of something else, and the kind of what it makes."""
    f = customer.forecast
    destination = {"S3Config": {"Path": f"s3://{customer.bucket}/{name}/out", "RoleArn": role}}
    return {
        "dataset-import-job": lambda name: customer.import_(name, dataset, f"s3://{customer.bucket}/{name}.csv", role),
        "predictor": lambda name: f.create_predictor(
            PredictorName=name, ForecastHorizon=2, PerformAutoML=True, InputDataConfig={"DatasetGroupArn": group},
            FeaturizationConfig={"ForecastFrequency": "M"}),
        "forecast": lambda name: f.create_forecast(ForecastName=name, PredictorArn=predictor),
        "predictor-backtest-export-job": lambda name: f.create_predictor_backtest_export_job(
            PredictorBacktestExportJobName=name, PredictorArn=predictor, Destination=destination),
        "forecast-export-job": lambda name: f.create_forecast_export_job(
            ForecastExportJobName=name, ForecastArn=forecast, Destination=destination),
    }


@pytest.fixture(scope="module")
def busy(cluster, customer):
    """Parents that a job is at work on, and children of theirs whose names are taken."""
    name = "busy"
    role = customer.role("Busy")
    dataset = customer.dataset(name)
    cluster.sql("jobs", f"UPDATE resources SET status = 'UPDATE_IN_PROGRESS' WHERE arn = '{dataset}'")
    group = customer.forecast.create_dataset_group(
        DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    predictor = put_resource(cluster, "predictor", f"{name}_parent", group)
    forecast = put_resource(cluster, "forecast", f"{name}_parent", predictor)
    put_resource(cluster, "dataset-import-job", f"{name}/taken", dataset)
    put_resource(cluster, "predictor", "taken", group)
    put_resource(cluster, "forecast", "taken", predictor)
    put_resource(cluster, "predictor-backtest-export-job", f"{name}_parent/taken", predictor)
    put_resource(cluster, "forecast-export-job", f"{name}_parent/taken", forecast)
    yield creations(customer, name, dataset, group, predictor, forecast, role)
    cluster.sql("jobs", f"UPDATE resources SET status = 'CREATE_FAILED' WHERE status = 'CREATE_IN_PROGRESS' AND ("
                        f"name IN ('taken', '{name}_parent'))")
    cluster.sql("jobs", f"UPDATE resources SET status = 'ACTIVE' WHERE arn = '{dataset}'")


@pytest.mark.parametrize("kind", [
    "dataset-import-job", "predictor", "forecast", "predictor-backtest-export-job", "forecast-export-job"])
def test_a_name_that_is_taken_goes_before_a_parent_that_is_busy(busy, kind):
    """A client whose answer was lost asks again: it is told that the name is taken, whatever its job does to the parent."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        busy[kind]("taken")
    assert code(error) == "ResourceAlreadyExistsException", error.value
    with pytest.raises(botocore.exceptions.ClientError) as error:
        busy[kind]("free")
    # A group without an ACTIVE import has nothing to train on.
    assert code(error) in ("ResourceInUseException", "InvalidInputException"), error.value


def test_a_group_whose_name_is_taken_says_so_before_its_datasets_are_looked_at(customer, name):
    def create(*datasets):
        customer.forecast.create_dataset_group(DatasetGroupName=name, Domain="CUSTOM", DatasetArns=datasets)

    create()
    with pytest.raises(customer.forecast.exceptions.ResourceAlreadyExistsException):
        create(f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset/absent")


def test_a_dataset_whose_name_is_taken_says_so_before_its_role_is_tried(cluster, customer, name):
    role = customer.role(f"Taken{name}")
    key = customer.key(role)
    customer.dataset(name, key, role)
    cluster.client("iam").update_assume_role_policy(
        RoleName=f"Taken{name}", PolicyDocument=json.dumps(trust_policy("210987654321")))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        customer.dataset(f"{name}_2", key, role)
    assert code(error) == "AccessDeniedException"
    with pytest.raises(customer.forecast.exceptions.ResourceAlreadyExistsException):
        customer.dataset(name, key, role)


def test_names_of_another_account_are_not_told(cluster, customer, name):
    """Taken or free, busy or not: a stranger hears the same."""
    stranger = "210987654320"
    if not any(stranger in line for line in cluster.tool("admin", "account", "list").stdout.splitlines()):
        cluster.tool("admin", "account", "create", stranger, "--name", "stranger")
    theirs = f"arn:aws:forecast:{REGION}:{stranger}:dataset/{name}"
    role = customer.role(f"Theirs{name}")

    def ask(job):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            customer.import_(job, theirs, f"s3://{customer.bucket}/{name}.csv", role)
        return error.value.response["Error"]

    absent = ask("taken")
    put_resource(cluster, "dataset", name, account=stranger)
    put_resource(cluster, "dataset-import-job", f"{name}/taken", theirs, account=stranger)
    assert ask("taken") == ask("free") == absent
    assert absent["Code"] not in ("ResourceAlreadyExistsException", "ResourceInUseException")


def test_a_predictor_of_another_account_is_as_absent_as_none(cluster, customer, name):
    """Whatever it was made by: nothing of what is stored is told before it is known who asks."""
    stranger = "210987654320"
    if not any(stranger in line for line in cluster.tool("admin", "account", "list").stdout.splitlines()):
        cluster.tool("admin", "account", "create", stranger, "--name", "stranger")

    def ask(reference, **members):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            customer.forecast.create_auto_predictor(PredictorName=name, ReferencePredictorArn=reference, **members)
        last = customer.events("CreateAutoPredictor")[-1]
        told = [error.value.response["Error"], last.get("errorCode"), last.get("errorMessage")]
        return json.dumps(told).replace(reference, "REFERENCE")

    absent, there = (f"arn:aws:forecast:{REGION}:{stranger}:predictor/{name}_{what}" for what in ("absent", "there"))
    put_resource(cluster, "predictor", f"{name}_there", account=stranger)
    for members in ({}, {"Tags": [{"Key": "aws:no", "Value": "1"}]}):
        assert ask(absent, **members) == ask(there, **members)
    assert json.loads(ask(there))[1] == "ResourceNotFoundException"
    assert "REFERENCE" in ask(there) and "${Account}" not in ask(there)


def test_who_may_all_in_the_account_is_told_what_is_wrong_with_a_request(cluster, customer, name):
    """Rights on resources are no rights on "*", and a request that can't be read names no resource."""
    forecast = cluster.client("forecast", customer.user(name, {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "forecast:*", "Resource": f"arn:aws:forecast:{REGION}:{ACCOUNT}:*"}]}))
    with pytest.raises(botocore.exceptions.ClientError, match="ValidationException.*datasetName"):
        forecast.create_dataset(
            DatasetName="a-b", Domain="CUSTOM", DatasetType="TARGET_TIME_SERIES", Schema={"Attributes": [{"AttributeName": "item_id", "AttributeType": "string"}]})


def test_the_trail_finds_a_call_by_the_resource_that_it_was_about(customer, name):
    arn = customer.dataset(name)
    customer.forecast.delete_dataset(DatasetArn=arn)
    found = customer.trail.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": arn}])["Events"]
    assert {event["EventName"] for event in found} == {"CreateDataset", "DeleteDataset"}
    assert {resource["ResourceType"] for event in found for resource in event["Resources"]} == {"AWS::Forecast::Dataset"}


def test_a_full_outbox_takes_no_more_jobs_though_nothing_of_it_is_due(cluster, customer, name):
    """Rows that wait for their next try take room as those do that are due."""
    role = customer.role(f"Full{name}")
    dataset = customer.dataset(name)
    path = customer.put(f"{name}/history.csv", monthly_csv())
    taken = customer.import_("taken", dataset, path, role)
    assert customer.wait(taken)["Status"] == "ACTIVE"

    def answer(job):
        try:
            return customer.import_(job, dataset, path, role)
        except botocore.exceptions.ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]

    def refusal(answer):
        # Until the API has counted, some are accepted, and make the dataset busy.
        return answer if answer[0] == 503 else None

    names = (f"job{number}" for number in range(10_000))

    cluster.sql("jobs", """
        INSERT INTO outbox (topic, payload, available_at)
        SELECT 'parked', '', now() + interval '1 h' FROM generate_series(1, 100000)""")
    try:
        refused = wait_for("the outbox to be full", lambda: refusal(answer(next(names))))
        assert refused == (503, "ServiceUnavailable")
        # And goes on refusing, sweep after sweep, but for what needs no room.
        assert answer(next(names)) == (503, "ServiceUnavailable")
        assert answer("taken") == (400, "ResourceAlreadyExistsException")
    finally:
        cluster.sql("jobs", "DELETE FROM outbox WHERE topic = 'parked'")
    accepted = wait_for("room again", lambda: next(
        (arn for arn in [answer(next(names))] if isinstance(arn, str)), None))
    assert customer.wait(accepted)["Status"] == "ACTIVE"


def test_the_trail_says_what_was_refused_after_it_was_allowed(customer, name):
    arn = customer.dataset(name)
    with pytest.raises(customer.forecast.exceptions.ResourceAlreadyExistsException):
        customer.dataset(name)
    customer.forecast.delete_dataset(DatasetArn=arn)
    with pytest.raises(customer.forecast.exceptions.ResourceNotFoundException):
        customer.forecast.delete_dataset(DatasetArn=arn)
    found = customer.trail.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": arn}])["Events"]
    records = [json.loads(event["CloudTrailEvent"]) for event in reversed(found)]
    outcomes = [(record["eventName"], record.get("errorCode")) for record in records]
    assert outcomes == [
        ("CreateDataset", None), ("CreateDataset", None), ("CreateDataset", "ResourceAlreadyExistsException"),
        ("DeleteDataset", None), ("DeleteDataset", None), ("DeleteDataset", "ResourceNotFoundException")], outcomes
    # Both records of one call have its id.
    assert records[1]["requestID"] == records[2]["requestID"] and records[4]["requestID"] == records[5]["requestID"]
