"""The main job by the aws command, unmodified, with nothing but the cluster's env file."""
import json

from conftest import ACCOUNT, REGION, monthly_csv


def test_main_job_by_the_command_line(cluster, customer, name):
    role = customer.role(f"Cli{name}")
    key = customer.key(role)
    path = customer.put(f"{name}/history.csv", monthly_csv(items=2))
    encryption = f"RoleArn={role},KMSKeyArn={key}"
    schema = {"Attributes": [
        {"AttributeName": "item_id", "AttributeType": "string"},
        {"AttributeName": "timestamp", "AttributeType": "timestamp"},
        {"AttributeName": "target_value", "AttributeType": "float"}]}
    aws = cluster.cli

    assert aws("sts", "get-caller-identity")["Account"] == ACCOUNT
    dataset = aws(
        "forecast", "create-dataset", "--dataset-name", name, "--domain", "CUSTOM", "--dataset-type",
        "TARGET_TIME_SERIES", "--data-frequency", "M", "--schema", json.dumps(schema), "--encryption-config", encryption,
    )["DatasetArn"]
    assert dataset == f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset/{name}"
    group = aws("forecast", "create-dataset-group", "--dataset-group-name", name, "--domain", "CUSTOM",
                "--dataset-arns", dataset)["DatasetGroupArn"]
    imported = aws(
        "forecast", "create-dataset-import-job", "--dataset-import-job-name", "first", "--dataset-arn", dataset,
        "--data-source", json.dumps({"S3Config": {"Path": path, "RoleArn": role}}),
    )["DatasetImportJobArn"]
    assert customer.wait(imported)["Status"] == "ACTIVE"
    predictor = aws(
        "forecast", "create-predictor", "--predictor-name", name, "--perform-auto-ml", "--forecast-horizon", "3",
        "--input-data-config", f"DatasetGroupArn={group}", "--featurization-config", "ForecastFrequency=M",
        "--encryption-config", encryption,
    )["PredictorArn"]
    trained = customer.wait(predictor)
    assert trained["Status"] == "ACTIVE", trained.get("Message")
    described = aws("forecast", "describe-predictor", "--predictor-arn", predictor)
    assert described["EvaluationParameters"] == {"NumberOfBacktestWindows": 1, "BackTestWindowOffset": 3}
    forecast = aws("forecast", "create-forecast", "--forecast-name", name, "--predictor-arn", predictor)["ForecastArn"]
    assert customer.wait(forecast)["Status"] == "ACTIVE"
    answer = aws("forecastquery", "query-forecast", "--forecast-arn", forecast, "--filters", "item_id=item0")
    assert len(answer["Forecast"]["Predictions"]["p50"]) == 3
    exported = aws(
        "forecast", "create-predictor-backtest-export-job", "--predictor-backtest-export-job-name", name,
        "--predictor-arn", predictor, "--destination",
        json.dumps({"S3Config": {"Path": f"s3://{customer.bucket}/{name}/backtests", "RoleArn": role}}),
    )["PredictorBacktestExportJobArn"]
    assert customer.wait(exported)["Status"] == "ACTIVE"
    customer.assert_no_grant_left(key)
    events = aws("cloudtrail", "lookup-events", "--lookup-attributes", f"AttributeKey=ResourceName,AttributeValue={key}")
    assert {"CreateGrant", "RetireGrant", "DescribeKey"} <= {event["EventName"] for event in events["Events"]}


def test_a_service_error_has_the_clients_form(cluster):
    result = cluster.cli("forecast", "describe-dataset", "--dataset-arn",
                         f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset/absent", check=False)
    assert result.returncode != 0
    assert "An error occurred (ResourceNotFoundException) when calling the DescribeDataset operation" in result.stderr
