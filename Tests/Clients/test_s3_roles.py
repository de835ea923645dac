"""Customers' buckets in an S3 where each job acts in a session of the customer's role: that role's own policy decides, at moto."""
import pytest
from conftest import Cluster, monthly_csv
from test_keys_elsewhere import KEY_ROLE, REGION, Elsewhere, allow


class OnS3(Elsewhere):
    """A cluster whose customers' keys, roles and buckets are moto's."""

    def __init__(self, name):
        self.cluster, self.check = Cluster(name), "none"

    @property
    def flags(self):
        return ("--buckets-s3-endpoint", self.moto.url, "--buckets-s3-region", REGION, "--buckets-s3-credentials", "role")


@pytest.fixture(scope="module")
def world():
    with OnS3("s3roles") as world:
        moto = world.moto
        moto.client("s3").create_bucket(Bucket="customer", CreateBucketConfiguration={"LocationConstraint": REGION})
        trust = world.trust(world.external_id)
        world.role = moto.role("Customer", trust, allow(*KEY_ROLE, "s3:GetObject", "s3:ListBucket", "s3:PutObject"))
        world.reader = moto.role("ListsOnly", trust, allow(*KEY_ROLE, "s3:ListBucket"))
        world.key = moto.key()
        moto.client("s3").put_object(Bucket="customer", Key="data/history.csv", Body=monthly_csv().encode())
        moto.check_everything()
        yield world


def test_a_job_reads_with_the_customers_role(world, name):
    customer = world.customer
    dataset = customer.dataset(name, world.key, world.role)
    imported = customer.wait(customer.import_("first", dataset, "s3://customer/data/", world.role))
    assert imported["Status"] == "ACTIVE", imported.get("Message")
    assert imported["FieldStatistics"]["item_id"]["Count"] == 216
    refused = customer.wait(customer.import_("second", dataset, "s3://customer/data/", world.reader))
    assert refused["Status"] == "CREATE_FAILED"
    assert "bucket customer: the store does not permit s3:GetObject" in refused["Message"]
