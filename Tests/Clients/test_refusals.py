"""What is refused at the call, and how it reads."""
import botocore.exceptions
import pytest
from conftest import ACCOUNT, REGION, key_policy, monthly_csv, trust_policy


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
