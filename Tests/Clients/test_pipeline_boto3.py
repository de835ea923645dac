"""The main job by boto3: import, train, forecast, exports, queries, deletion; and what it leaves behind."""
import csv
import io

import pytest
from conftest import ACCOUNT, REGION, monthly_csv


@pytest.fixture(scope="module")
def pipeline(customer):
    """Dataset and predictor with different keys and roles, run to the end."""
    data_role = customer.role("PipelineData")
    model_role = customer.role("PipelineModel")
    data_key, model_key = customer.key(data_role), customer.key(model_role)
    path = customer.put("pipeline/history.csv", monthly_csv())
    dataset = customer.dataset("pipeline_data", data_key, data_role)
    group = customer.forecast.create_dataset_group(
        DatasetGroupName="pipeline_group", Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    imported = customer.wait(customer.import_("first", dataset, path, data_role))
    assert imported["Status"] == "ACTIVE", imported.get("Message")
    predictor = customer.forecast.create_auto_predictor(
        PredictorName="pipeline_predictor", ForecastHorizon=6, ForecastFrequency="M",
        ForecastTypes=["0.1", "0.5", "0.9", "mean"], DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": model_key, "RoleArn": model_role})["PredictorArn"]
    trained = customer.wait(predictor)
    assert trained["Status"] == "ACTIVE", trained.get("Message")
    forecast = customer.forecast.create_forecast(
        ForecastName="pipeline_forecast", PredictorArn=predictor)["ForecastArn"]
    made = customer.wait(forecast)
    assert made["Status"] == "ACTIVE", made.get("Message")
    return dict(
        data_role=data_role, model_role=model_role, data_key=data_key, model_key=model_key, dataset=dataset, group=group,
        imported=imported, predictor=predictor, trained=trained, forecast=forecast, made=made)


def test_import_describes_what_it_read(pipeline):
    imported = pipeline["imported"]
    fields = imported["FieldStatistics"]
    assert fields["item_id"]["Count"] == 216
    assert fields["item_id"]["CountDistinct"] == 3
    assert fields["timestamp"]["Min"] == "2015-01-01T00:00:00Z"
    assert fields["timestamp"]["Max"] == "2020-12-01T00:00:00Z"
    assert float(fields["target_value"]["Min"]) == pytest.approx(100.0)
    assert imported["DataSize"] > 0
    assert imported["DatasetImportJobArn"] == \
        f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset-import-job/pipeline_data/first"


def test_predictor_names_what_it_was_trained_on(pipeline):
    trained = pipeline["trained"]
    assert trained["DatasetImportJobArns"] == [pipeline["imported"]["DatasetImportJobArn"]]
    assert trained["ForecastHorizon"] == 6
    assert trained["EncryptionConfig"] == {"KMSKeyArn": pipeline["model_key"], "RoleArn": pipeline["model_role"]}


def test_accuracy_metrics(pipeline, customer):
    answer = customer.forecast.get_accuracy_metrics(PredictorArn=pipeline["predictor"])
    windows = answer["PredictorEvaluationResults"][0]["TestWindows"]
    assert [w["EvaluationType"] for w in windows][0] == "SUMMARY"
    metrics = windows[0]["Metrics"]
    losses = {loss["Quantile"]: loss["LossValue"] for loss in metrics["WeightedQuantileLosses"]}
    assert set(losses) == {0.1, 0.5, 0.9}
    # Trend and season are plain: a model that sees them is far better than 20 %.
    assert 0 <= metrics["AverageWeightedQuantileLoss"] < 0.2
    assert all(0 <= e["WAPE"] < 0.2 for e in metrics["ErrorMetrics"])


def test_query_gives_the_horizon_in_order(pipeline, customer):
    predictions = customer.query.query_forecast(
        ForecastArn=pipeline["forecast"], Filters={"item_id": "item1"})["Forecast"]["Predictions"]
    assert set(predictions) == {"p10", "p50", "p90", "mean"}
    stamps = [point["Timestamp"] for point in predictions["p50"]]
    assert stamps == [f"2021-{month:02d}-01T00:00:00" for month in range(1, 7)]
    for low, middle, high in zip(predictions["p10"], predictions["p50"], predictions["p90"]):
        assert low["Value"] <= middle["Value"] <= high["Value"]


def test_query_by_range_is_inclusive(pipeline, customer):
    predictions = customer.query.query_forecast(
        ForecastArn=pipeline["forecast"], Filters={"item_id": "item0"},
        StartDate="2021-02-01T00:00:00", EndDate="2021-03-01T00:00:00")["Forecast"]["Predictions"]
    assert [p["Timestamp"] for p in predictions["p50"]] == ["2021-02-01T00:00:00", "2021-03-01T00:00:00"]


def test_plain_forecast_export(pipeline, customer):
    arn = customer.forecast.create_forecast_export_job(
        ForecastExportJobName="plain", ForecastArn=pipeline["forecast"],
        Destination={"S3Config": {"Path": f"s3://{customer.bucket}/plain", "RoleArn": pipeline["model_role"]}},
    )["ForecastExportJobArn"]
    assert customer.wait(arn)["Status"] == "ACTIVE"
    files = sorted((customer.cluster.buckets / customer.bucket / "plain").glob("plain_*_part*.csv"))
    assert files
    rows = [row for file in files for row in csv.DictReader(io.StringIO(file.read_text()))]
    assert list(rows[0]) == ["item_id", "date", "p10", "p50", "p90", "mean"]
    assert len(rows) == 18
    assert {row["item_id"] for row in rows} == {"item0", "item1", "item2"}
    assert rows[0]["date"].endswith("T00:00:00Z")


def test_backtest_export_files(pipeline, customer):
    arn = customer.forecast.create_predictor_backtest_export_job(
        PredictorBacktestExportJobName="backtest", PredictorArn=pipeline["predictor"],
        Destination={"S3Config": {"Path": f"s3://{customer.bucket}/backtest", "RoleArn": pipeline["model_role"]}},
    )["PredictorBacktestExportJobArn"]
    assert customer.wait(arn)["Status"] == "ACTIVE"
    folder = customer.cluster.buckets / customer.bucket / "backtest"
    values = [row for file in sorted((folder / "forecasted-values").glob("backtest_*.csv"))
              for row in csv.DictReader(io.StringIO(file.read_text()))]
    assert list(values[0]) == ["item_id", "timestamp", "target_value", "backtestwindow_start_time",
                               "backtestwindow_end_time", "p10", "p50", "p90", "mean"]
    assert len(values) == 18
    metrics = [row for file in sorted((folder / "accuracy-metrics-values").glob("backtest_*.csv"))
               for row in csv.DictReader(io.StringIO(file.read_text()))]
    assert list(metrics[0]) == ["item_id", "backtest_window", "backtestwindow_start_time", "backtestwindow_end_time",
                                "wQL[0.1]", "wQL[0.5]", "wQL[0.9]", "Average wQL", "RMSE", "WAPE", "MAPE", "MASE"]
    assert {row["backtest_window"] for row in metrics} == {"Summary", "Computed"}


def test_every_grant_is_retired_and_named_one_artifact(pipeline, customer):
    for key in (pipeline["data_key"], pipeline["model_key"]):
        customer.assert_no_grant_left(key)
    for event in customer.events("CreateGrant"):
        parameters = event["requestParameters"]
        if parameters["keyId"] != pipeline["data_key"] or event.get("errorCode"):
            continue
        subset = parameters["constraints"]["encryptionContextSubset"]
        assert set(subset) == {"forecastle:account", "forecastle:resource", "forecastle:incarnation"}
        assert subset["forecastle:resource"] == pipeline["imported"]["DatasetImportJobArn"]


def test_training_reads_the_dataset_with_its_own_role(pipeline, customer):
    """A train job holds a grant of Decrypt alone on the dataset's key, made with the dataset's role."""
    reading = [e for e in customer.events("CreateGrant")
               if e["requestParameters"]["keyId"] == pipeline["data_key"]
               and e["requestParameters"]["operations"] == ["Decrypt"] and not e.get("errorCode")]
    assert reading
    assert all("/PipelineData/" in e["userIdentity"]["arn"] for e in reading)


def test_list_pages_through_everything(customer, pipeline, name):
    for index in range(5):
        customer.dataset(f"{name}_{index}")
    pages = list(customer.forecast.get_paginator("list_datasets").paginate(PaginationConfig={"PageSize": 2}))
    arns = [d["DatasetArn"] for page in pages for d in page["Datasets"]]
    assert len(arns) == len(set(arns))
    assert {f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset/{name}_{i}" for i in range(5)} <= set(arns)


def test_deletion_needs_children_gone(customer, pipeline):
    with pytest.raises(customer.forecast.exceptions.ResourceInUseException):
        customer.forecast.delete_predictor(PredictorArn=pipeline["predictor"])
    with pytest.raises(customer.forecast.exceptions.ResourceInUseException):
        customer.forecast.delete_dataset(DatasetArn=pipeline["dataset"])
