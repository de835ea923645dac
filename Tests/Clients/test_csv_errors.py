"""Malformed CSV: the job fails and says file, line, column and rule; nothing of it is used."""
import pytest
from conftest import monthly_csv

GOOD = "a,2020-01-01 00:00:00,1.5\n"
CASES = {
    "wrong_column_count": (GOOD + "a,2020-02-01 00:00:00\n", "line 2", "column"),
    "bad_timestamp": (GOOD + "a,2020-02-30 00:00:00,1\n", "line 2", "timestamp"),
    "bad_number": (GOOD + GOOD + "a,2020-02-01 00:00:00,seven\n", "line 3", "target_value"),
    "header_row": ("item_id,timestamp,target_value\n" + GOOD, "line 1", "header"),
    "invalid_utf8": (GOOD.encode() + b"\xff\xfe,2020-02-01 00:00:00,1\n", "line 2", "UTF-8"),
    "empty_file": ("", "bad.csv", "empty"),
}


@pytest.mark.parametrize("case", CASES)
def test_malformed_csv_says_where(customer, name, case):
    content, *expected = CASES[case]
    role = customer.role(f"Csv{name}")
    key = customer.key(role)
    dataset = customer.dataset(name, key, role)
    path = customer.put(f"{name}/bad.csv", content)
    failed = customer.wait(customer.import_("bad", dataset, path, role))
    assert failed["Status"] == "CREATE_FAILED"
    for text in expected:
        assert text.lower() in failed["Message"].lower(), failed["Message"]
    assert "seven" not in failed["Message"], "an error never shows a value"
    customer.assert_no_grant_left(key)


def test_a_missing_object_is_named(customer, name):
    role = customer.role(f"Csv{name}")
    dataset = customer.dataset(name)
    failed = customer.wait(customer.import_("gone", dataset, f"s3://{customer.bucket}/{name}/absent.csv", role))
    assert failed["Status"] == "CREATE_FAILED"
    assert "absent.csv" in failed["Message"]


def test_a_prefix_imports_every_file_and_one_bad_line_fails_all(customer, name):
    role = customer.role(f"Csv{name}")
    dataset = customer.dataset(name)
    customer.put(f"{name}/a.csv", monthly_csv(items=1))
    customer.put(f"{name}/b.csv", GOOD + "b,nonsense,1\n")
    failed = customer.wait(customer.import_("first", dataset, f"s3://{customer.bucket}/{name}/", role))
    assert failed["Status"] == "CREATE_FAILED" and "b.csv" in failed["Message"]
    customer.put(f"{name}/b.csv", GOOD)
    done = customer.wait(customer.import_("second", dataset, f"s3://{customer.bucket}/{name}/", role))
    assert done["Status"] == "ACTIVE", done.get("Message")
    assert done["FieldStatistics"]["item_id"]["Count"] == 73
