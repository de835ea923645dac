"""A backup, a key destroyed after it, a restore into a fresh folder with the present vault. Run by deploy/restore-drill."""
import os
import shutil
import signal
import subprocess
import sys

from botocore.exceptions import ClientError

from conftest import BIN, ROOT, SERVICES, Cluster, Customer, monthly_csv, wait_for

SECRET = b"sealed before the backup"


def say(text):
    print(f"==> {text}", flush=True)


def halt(cluster):
    cluster.process.send_signal(signal.SIGTERM)
    cluster.process.wait(timeout=180)


def customer_of(cluster):
    return Customer(cluster, {service: cluster.client(service) for service in SERVICES}, "customer")


def code(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def script(name, *arguments):
    environment = {**os.environ, "FORECASTLE_BIN": str(BIN)}
    result = subprocess.run([ROOT / "deploy" / name, *map(str, arguments)], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def forecast_of(customer, name, key, role):
    """A predictor's forecast of an imported dataset, all under one key; answers what a query of it says."""
    dataset = customer.dataset(name, key, role)
    path = customer.put(f"{name}.csv", monthly_csv())
    imported = customer.import_(name, dataset, path, role)
    assert customer.wait(imported)["Status"] == "ACTIVE"
    forecast = customer.forecast
    group = forecast.create_dataset_group(DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    predictor = forecast.create_auto_predictor(
        PredictorName=name, ForecastHorizon=3, ForecastFrequency="M",
        DataConfig={"DatasetGroupArn": group}, EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]
    assert customer.wait(predictor)["Status"] == "ACTIVE"
    made = forecast.create_forecast(ForecastName=name, PredictorArn=predictor)["ForecastArn"]
    assert customer.wait(made)["Status"] == "ACTIVE"
    return made


def query(customer, arn):
    return customer.query.query_forecast(ForecastArn=arn, Filters={"item_id": "item0"})["Forecast"]


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def main():
    live = Cluster("drill", "--workers", "1", "--authority-quota-percent", "0")
    backup, copies = live.data.with_suffix(".backup"), live.data.with_suffix(".vault")
    restored = Cluster("restored", "--workers", "1", "--authority-quota-percent", "0")
    shutil.rmtree(restored.data)
    for folder in (backup, copies):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        drill(live, restored, backup, copies)
    finally:
        live.stop()
        restored.stop()
        if not os.environ.get("FORECASTLE_KEEP"):
            for folder in (backup, copies):
                shutil.rmtree(folder, ignore_errors=True)
    print("1 passed, 0 failed")


def drill(live, restored, backup, copies):
    say("a cluster, two keys, a forecast under each")
    customer = customer_of(live.start())
    (live.buckets / "customer").mkdir()
    role = customer.role("Drill")
    kept, destroyed = customer.key(role), customer.key(role)
    forecasts = {key: forecast_of(customer, name, key, role) for name, key in (("kept", kept), ("destroyed", destroyed))}
    answers = {key: query(customer, arn) for key, arn in forecasts.items()}
    blobs = {key: customer.kms.encrypt(KeyId=key, Plaintext=SECRET)["CiphertextBlob"] for key in forecasts}

    say("deploy/backup, while it runs")
    script("backup", "--config", live.data / "forecastle.yaml", "--output", backup, "--vault", copies)
    secrets = files(backup / "secrets")
    assert {path.name for path in secrets} >= {"root.key", "api.json", "worker.json", "specification.key", "audit.key"}
    for path in secrets:
        assert path.suffix == ".pub" or path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
    # A copy of the vault is of use to nobody who has the rest of the backup alone.
    shreds = {path.read_bytes() for path in (live.data / "vault").glob("*.shred")}
    for path in files(backup):
        content = path.read_bytes()
        assert not any(shred in content for shred in shreds), f"{path} holds a secret of the vault"

    say("after the backup: one key is destroyed, a third is made")
    customer.kms.schedule_key_deletion(KeyId=destroyed, PendingWindowInDays=7)
    later = customer.key(role)
    live.sql("authority", "UPDATE keys SET deletion_at = now() - interval '1 hour' WHERE state = 'PendingDeletion'")
    halt(live)
    live.start()
    shred = live.data / "vault" / (destroyed.split("/")[1] + ".shred")
    wait_for("the key to be destroyed", lambda: not shred.exists() and shred.with_suffix(".gone").exists())
    halt(live)

    say("deploy/restore into a fresh folder, with the vault of today")
    script("restore", "--backup", backup, "--data", restored.data, "--vault", live.data / "vault")
    try:
        restored.start()
        raise SystemExit("the older database was served")
    except AssertionError:
        said = (restored.data / "up.log").read_text()
        assert "older than its vault" in said and "forecastle admin restore" in said, said[-2000:]
    say("refused, as it is older than its vault; accepting it")
    flags, restored.flags = restored.flags, ("--only", "postgres")
    log = open(restored.data / "up.log", "ab")
    restored.process = subprocess.Popen(
        [BIN / "forecastle", "up", "--data", restored.data, "--only", "postgres"], stdout=log, stderr=log)
    wait_for("PostgreSQL", lambda: (restored.data / "ready").exists())
    shown = restored.tool("admin", "restore", check=False)
    assert shown.returncode == 1, shown.stdout
    restored.tool("admin", "restore", "--accept")
    halt(restored)
    restored.flags = flags
    # Every access key is inactive, the service's own too: without their files new ones are made.
    for name in ("api", "worker", "operator", "admin"):
        (restored.data / "credentials" / f"{name}.json").unlink()
    customer = customer_of(restored.start())

    say("people enable what they reviewed; then what was sealed before the backup opens")
    assert code(customer.kms.decrypt, CiphertextBlob=blobs[kept]) == "DisabledException"
    customer.kms.enable_key(KeyId=kept)
    assert customer.kms.decrypt(CiphertextBlob=blobs[kept])["Plaintext"] == SECRET
    assert query(customer, forecasts[kept]) == answers[kept]

    say("and what the destroyed key sealed does not, though its rows and objects are back")
    assert code(customer.kms.enable_key, KeyId=destroyed) == "NotFoundException"
    assert code(customer.kms.decrypt, CiphertextBlob=blobs[destroyed]) == "AccessDeniedException"
    refusal = code(customer.query.query_forecast, ForecastArn=forecasts[destroyed], Filters={"item_id": "item0"})
    assert refusal == "AccessDeniedException", refusal
    assert code(customer.kms.describe_key, KeyId=later) == "NotFoundException", "made after the backup"

    say("the installation takes new jobs, and its trail is as it should be but for what the backup lacks")
    again = forecast_of(customer, "again", kept, role)
    assert query(customer, again)
    verified = restored.tool("audit", "verify", "--without-heads", check=False)
    assert verified.returncode == 3, verified.stdout + verified.stderr
    assert restored.tool("migrate", "verify").stdout.count("as it should be") == 2


if __name__ == "__main__":
    sys.exit(main())
