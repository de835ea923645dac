"""The official AWS Encryption SDK, its KMS client pointed at the authority, and `forecastle seal|open|inspect`."""
import json
import os
import subprocess

import aws_encryption_sdk
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg, CreateAwsKmsKeyringInput, CreateRawAesKeyringInput)
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.identifiers import AlgorithmSuite
from conftest import BIN, monthly_csv

SDK = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
MATERIALS = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def kms_keyring(kms, key):
    return MATERIALS.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key, kms_client=kms))


def raw_keyring(key, key_name="raw-key"):
    return MATERIALS.create_raw_aes_keyring(CreateRawAesKeyringInput(
        key_namespace="forecastle", key_name=key_name, wrapping_key=key,
        wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16))


@pytest.fixture(scope="module")
def encrypted(customer):
    """An import and an encrypted forecast export under one key."""
    role = customer.role("SdkRole")
    key = customer.key(role)
    path = customer.put("sdk/history.csv", monthly_csv())
    dataset = customer.dataset("sdk_data", key, role)
    group = customer.forecast.create_dataset_group(
        DatasetGroupName="sdk_group", Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    imported = customer.import_("first", dataset, path, role)
    assert customer.wait(imported)["Status"] == "ACTIVE"
    predictor = customer.forecast.create_auto_predictor(
        PredictorName="sdk_predictor", ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]
    assert customer.wait(predictor)["Status"] == "ACTIVE"
    forecast = customer.forecast.create_forecast(ForecastName="sdk_forecast", PredictorArn=predictor)["ForecastArn"]
    assert customer.wait(forecast)["Status"] == "ACTIVE"
    export = customer.forecast.create_forecast_export_job(
        ForecastExportJobName="sealed", ForecastArn=forecast,
        Destination={"S3Config": {"Path": f"s3://{customer.bucket}/sealed", "RoleArn": role, "KMSKeyArn": key}},
    )["ForecastExportJobArn"]
    assert customer.wait(export)["Status"] == "ACTIVE"
    return dict(key=key, imported=imported, export=export)


def test_the_sdk_opens_every_object_of_an_import(cluster, kms, encrypted):
    store = cluster.data / "artifacts"
    opened = 0
    for path in sorted(p for p in store.rglob("*") if p.is_file()):
        message = path.read_bytes()
        if encrypted["imported"].encode() not in message:
            continue
        plaintext, header = SDK.decrypt(source=message, keyring=kms_keyring(kms, encrypted["key"]))
        assert header.encryption_context["forecastle:resource"] == encrypted["imported"]
        assert header.encryption_context["forecastle:kind"]
        assert plaintext
        opened += 1
    assert opened >= 2, "a chunk and the manifest"


def test_the_sdk_opens_an_encrypted_export(cluster, customer, kms, encrypted):
    files = sorted((cluster.buckets / customer.bucket / "sealed").glob("*.csv.encrypted"))
    assert files
    text = ""
    for file in files:
        assert b"item0" not in file.read_bytes()
        plaintext, header = SDK.decrypt(source=file.read_bytes(), keyring=kms_keyring(kms, encrypted["key"]))
        assert header.encryption_context["forecastle:resource"] == encrypted["export"]
        text += plaintext.decode()
    assert text.splitlines()[0] == "item_id,date,p10,p50,p90"
    assert len([line for line in text.splitlines() if line.startswith("item")]) >= 9


@pytest.fixture
def raw_key(tmp_path):
    key = os.urandom(32)
    path = tmp_path / "raw.key"
    path.write_bytes(key)
    path.chmod(0o600)
    return key, path


def run(*arguments, stdin=None):
    return subprocess.run([BIN / "forecastle", *arguments], input=stdin, capture_output=True)


@pytest.mark.parametrize("frame", [128, 4096, 65536])
@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 300_000])
def test_forecastle_opens_what_the_sdk_sealed(raw_key, tmp_path, frame, size):
    if frame == 128 and size > 5000:
        pytest.skip("128 bytes a frame: the SDK is slow")
    key, path = raw_key
    plaintext = os.urandom(size)
    message, _ = SDK.encrypt(
        source=plaintext, keyring=raw_keyring(key), encryption_context={"purpose": "test"}, frame_length=frame,
        algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY)
    (tmp_path / "sealed").write_bytes(message)
    result = run("open", "--raw-key", path, tmp_path / "sealed", tmp_path / "opened")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "opened").read_bytes() == plaintext


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 200_000])
def test_the_sdk_opens_what_forecastle_sealed(raw_key, tmp_path, size):
    key, path = raw_key
    plaintext = os.urandom(size)
    (tmp_path / "plain").write_bytes(plaintext)
    result = run("seal", "--raw-key", path, "--context", "purpose=test", tmp_path / "plain", tmp_path / "sealed")
    assert result.returncode == 0, result.stderr
    opened, header = SDK.decrypt(source=(tmp_path / "sealed").read_bytes(), keyring=raw_keyring(key))
    assert opened == plaintext
    assert header.encryption_context == {"purpose": "test"}


def test_inspect_needs_no_key(raw_key, tmp_path):
    _, path = raw_key
    sealed = run("seal", "--raw-key", path, "--context", "a=b", "-", "-", stdin=b"x" * 100_000)
    (tmp_path / "sealed").write_bytes(sealed.stdout)
    report = json.loads(run("inspect", "--json", tmp_path / "sealed").stdout)
    assert "0478" in json.dumps(report)
    assert "purpose" not in json.dumps(report) and '"a"' in json.dumps(report)


def test_a_flipped_bit_releases_nothing(raw_key, tmp_path):
    _, path = raw_key
    sealed = bytearray(run("seal", "--raw-key", path, "-", "-", stdin=b"x" * 100_000).stdout)
    sealed[-40] ^= 1
    (tmp_path / "sealed").write_bytes(bytes(sealed))
    result = run("open", "--raw-key", path, tmp_path / "sealed", tmp_path / "opened")
    assert result.returncode != 0
    assert not (tmp_path / "opened").exists()
