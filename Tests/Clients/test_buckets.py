"""What a role may do in a bucket: decided for each object, as S3 does, where the buckets are directories too."""
import botocore.exceptions
import pytest
from conftest import monthly_csv, wait_for


def allow(*actions, on):
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def deny(*actions, on):
    return {**allow(*actions, on=on), "Effect": "Deny"}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture
def shelf(customer, name):
    """A folder with a file, and one in a folder below it."""
    customer.put(f"{name}/open.csv", monthly_csv(items=1))
    customer.put(f"{name}/secret/hidden.csv", monthly_csv(items=2))
    return f"arn:aws:s3:::{customer.bucket}/{name}"


def outcome(customer, name, path, role):
    """The end of an import, or the code that it was refused with."""
    try:
        arn = customer.import_("first", customer.dataset(name), f"s3://{customer.bucket}/{path}", role)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    described = customer.wait(arn)
    return described["Status"], described.get("Message", "")


@pytest.mark.parametrize("ending", ["", "/"])
@pytest.mark.parametrize("folder", ["", "/secret"])
def test_a_deny_below_the_path_holds(customer, name, shelf, folder, ending):
    role = customer.role(f"Deny{name}", policy(
        allow("s3:*", on="*"), deny("s3:GetObject", on=f"{shelf}/secret/*")))
    status, message = outcome(customer, name, f"{name}{folder}{ending}", role)
    assert status == "CREATE_FAILED" and "s3:GetObject" in message and "explicit deny" in message, message


def test_a_right_on_an_objects_name_is_none_on_the_folder_of_that_name(customer, name, shelf):
    role = customer.role(f"Name{name}", policy(
        allow("s3:ListBucket", on="*"), allow("s3:GetObject", on=shelf)))
    status, message = outcome(customer, name, name, role)
    assert status == "CREATE_FAILED" and "s3:GetObject" in message, message


@pytest.mark.parametrize("ending", ["", "/"])
def test_rights_on_what_is_read_are_enough(customer, name, shelf, ending):
    role = customer.role(f"Enough{name}", policy(
        {**allow("s3:ListBucket", on=f"arn:aws:s3:::{customer.bucket}"),
         "Condition": {"StringLike": {"s3:prefix": f"{name}/secret/*"}}},
        allow("s3:GetObject", on=f"{shelf}/secret/*.csv")))
    assert outcome(customer, name, f"{name}/secret{ending}", role)[0] == "ACTIVE"


def test_a_listing_elsewhere_is_refused_at_the_call(customer, name, shelf):
    role = customer.role(f"Prefix{name}", policy(
        {**allow("s3:ListBucket", on=f"arn:aws:s3:::{customer.bucket}"),
         "Condition": {"StringLike": {"s3:prefix": "other/*"}}},
        allow("s3:GetObject", on="*")))
    assert outcome(customer, name, f"{name}/", role)[0] == "AccessDeniedException"


def test_a_role_that_may_not_read_the_file_is_refused_at_the_call(customer, name, shelf):
    role = customer.role(f"File{name}", policy(allow("s3:ListBucket", on="*"), allow("s3:GetObject", on=f"{shelf}/secret/*")))
    assert outcome(customer, name, f"{name}/open.csv", role)[0] == "AccessDeniedException"


@pytest.mark.parametrize("path", ["s3://ab/x.csv", "s3://a_b/x.csv", "s3://shelf/../x.csv", "s3://shelf//x.csv"])
def test_a_path_that_can_be_none_is_refused_at_the_call(customer, name, path):
    role = customer.role(f"Path{name}")
    dataset = customer.dataset(name)
    with pytest.raises(customer.forecast.exceptions.InvalidInputException, match="Path: "):
        customer.import_("first", dataset, path, role)


@pytest.fixture(scope="module")
def predictor(customer):
    role = customer.role("ShelfPredictor")
    key = customer.key(role)
    dataset = customer.dataset("shelf_predictor", key, role)
    group = customer.forecast.create_dataset_group(
        DatasetGroupName="shelf_predictor", Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    path = customer.put("shelf_predictor/history.csv", monthly_csv(items=1))
    assert customer.wait(customer.import_("first", dataset, path, role))["Status"] == "ACTIVE"
    arn = customer.forecast.create_predictor(
        PredictorName="shelf_predictor", ForecastHorizon=3, PerformAutoML=True,
        InputDataConfig={"DatasetGroupArn": group}, FeaturizationConfig={"ForecastFrequency": "M"},
        EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]
    assert customer.wait(arn)["Status"] == "ACTIVE"
    return dict(arn=arn, group=group, role=role, key=key)


def export(customer, name, predictor, path, role):
    arn = customer.forecast.create_predictor_backtest_export_job(
        PredictorBacktestExportJobName=name, PredictorArn=predictor["arn"],
        Destination={"S3Config": {"Path": f"s3://{customer.bucket}/{path}", "RoleArn": role}},
    )["PredictorBacktestExportJobArn"]
    return customer.wait(arn)


@pytest.mark.parametrize("ending", ["", "/"])
def test_an_export_needs_the_right_to_write_its_own_files_alone(customer, name, predictor, ending):
    role = customer.role(f"Out{name}", policy(allow("s3:PutObject", on=f"arn:aws:s3:::{customer.bucket}/{name}/out/*/{name}_*")))
    described = export(customer, name, predictor, f"{name}/out{ending}", role)
    assert described["Status"] == "ACTIVE", described.get("Message")


@pytest.mark.parametrize("ending", ["", "/"])
def test_an_export_into_a_folder_that_is_denied_writes_nothing(customer, name, predictor, ending):
    role = customer.role(f"Locked{name}", policy(
        allow("s3:*", on="*"), deny("s3:PutObject", on=f"arn:aws:s3:::{customer.bucket}/{name}/locked/*part*")))
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied.*s3:PutObject.*explicit deny"):
        export(customer, name, predictor, f"{name}/locked{ending}", role)
    assert not (customer.cluster.buckets / customer.bucket / name / "locked").exists()


def test_what_a_session_may_do_in_a_bucket_is_in_the_trail(customer, name, shelf):
    role = customer.role(f"Trail{name}", policy(allow("s3:*", on="*"), deny("s3:GetObject", on=f"{shelf}/secret/*")))
    assert outcome(customer, name, f"{name}/", role)[0] == "CREATE_FAILED"
    records = [record for record in customer.events("DecideBucketAccess")
               if f"Trail{name}" in record["userIdentity"].get("arn", "")]
    assert records and records[-1]["errorCode"] == "AccessDenied"
    assert f"{name}/secret/hidden.csv" in records[-1]["errorMessage"]


def test_a_legacy_predictor_is_upgraded_and_its_name_is_taken(customer, name, predictor):
    def create(**members):
        return customer.forecast.create_auto_predictor(PredictorName=name, ReferencePredictorArn=predictor["arn"], **members)

    arn = create()["PredictorArn"]
    described = customer.wait(arn)
    assert described["Status"] == "ACTIVE", described.get("Message")
    assert described["ReferencePredictorSummary"] == {"Arn": predictor["arn"], "State": "Active"}
    assert described["ForecastHorizon"] == 3 and described["EncryptionConfig"]["KMSKeyArn"] == predictor["key"]
    for again in (create, lambda: customer.forecast.create_auto_predictor(
            PredictorName="shelf_predictor", ForecastHorizon=3, ForecastFrequency="M",
            DataConfig={"DatasetGroupArn": predictor["group"]})):
        with pytest.raises(customer.forecast.exceptions.ResourceAlreadyExistsException):
            again()


def test_a_reference_that_was_deleted_says_so(customer, name, predictor):
    first = customer.forecast.create_auto_predictor(
        PredictorName=f"{name}_1", ForecastHorizon=3, ForecastFrequency="M",
        DataConfig={"DatasetGroupArn": predictor["group"]})["PredictorArn"]
    assert customer.wait(first)["Status"] == "ACTIVE"
    second = customer.forecast.create_auto_predictor(PredictorName=f"{name}_2", ReferencePredictorArn=first)["PredictorArn"]
    assert customer.wait(second)["Status"] == "ACTIVE"
    customer.forecast.delete_predictor(PredictorArn=first)
    described = customer.describer(second)
    wait_for("the reference to be gone",
             lambda: described()["ReferencePredictorSummary"] == {"Arn": first, "State": "Deleted"})
