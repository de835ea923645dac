"""A canary in the customer's CSV is found nowhere but in the customer's own bucket."""
import subprocess
import uuid

from conftest import monthly_csv


def test_no_plaintext_is_kept_anywhere(cluster, customer, name):
    canary = "canary" + uuid.uuid4().hex
    role = customer.role(f"Secret{name}")
    key = customer.key(role)
    path = customer.put(f"{name}/h.csv", monthly_csv(items=2, canary=canary))
    dataset = customer.dataset(name, key, role)
    group = customer.forecast.create_dataset_group(
        DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    assert customer.wait(customer.import_("first", dataset, path, role))["Status"] == "ACTIVE"
    predictor = customer.forecast.create_auto_predictor(
        PredictorName=name, ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]
    assert customer.wait(predictor)["Status"] == "ACTIVE"
    forecast = customer.forecast.create_forecast(ForecastName=name, PredictorArn=predictor)["ForecastArn"]
    assert customer.wait(forecast)["Status"] == "ACTIVE"
    found = customer.query.query_forecast(ForecastArn=forecast, Filters={"item_id": f"item0{canary}"})
    assert found["Forecast"]["Predictions"]["p50"]
    bad = customer.import_("bad", dataset, customer.put(f"{name}/bad.csv", f"{canary},x,{canary}\n"), role)
    assert customer.wait(bad)["Status"] == "CREATE_FAILED"

    # PostgreSQL's pages reach its files at a checkpoint.
    connection = (cluster.data / "postgres.conninfo").read_text().strip()
    subprocess.run(["psql", connection, "-qc", "CHECKPOINT"], check=True, capture_output=True)
    needle = canary.encode()
    searched = 0
    for file in cluster.data.rglob("*"):
        if not file.is_file() or file.is_relative_to(cluster.buckets):
            continue
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue  # PostgreSQL recycles files meanwhile.
        searched += 1
        assert needle not in content, file
    assert searched > 100
