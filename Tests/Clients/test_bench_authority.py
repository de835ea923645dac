"""`forecastle bench authority`, `bench revocation` and `bench jobs`, with tiny sizes: that they work, never how fast."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import BIN


@pytest.fixture
def short_folder():
    """Short enough for a Unix socket, and open to the user that PostgreSQL runs as."""
    base = Path(f"/var/tmp/forecastle-{os.getuid()}")
    base.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench", dir=base))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def bench(folder, *arguments):
    result = subprocess.run([BIN / "forecastle", "bench", *arguments, "--quick", "--folder", folder, "--save", folder / "record.json",
                             "--page", folder / "page.md"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads((folder / "record.json").read_text()), result.stdout


def test_every_call_is_measured_in_an_empty_and_a_filled_database(short_folder):
    record, table = bench(short_folder, "authority", "--connections", "2", "--grants", "50", "--keys", "50", "--records", "50")
    names = {result["name"] for result in record["results"]}
    calls = {"gdk", "decrypt", "grants", "assume"}
    assert names == {f"{call}.{tool}.2" for call in calls for tool in ("ours", "filled")} | {"bare.ours.2", "commit.postgres.2"}
    for result in record["results"]:
        for sample in result["samples"]:
            assert sample["requests"]["count"] > 0 and 0 < sample["requests"]["p50Seconds"] <= sample["requests"]["p99Seconds"]
    assert "GenerateDataKey" in table
    assert (short_folder / "page.md").read_text().count("<!-- begin forecastle bench authority -->") == 1
    assert {path.name for path in short_folder.iterdir()} == {"record.json", "page.md"}


def test_what_is_withdrawn_at_one_process_is_never_used_at_another(short_folder):
    record, table = bench(short_folder, "revocation", "--load", "2")
    assert record["targets"][0]["seen"]["high"] == 0 and record["targets"][0]["reached"]
    # With the announcement and without it, every key lease ended.
    assert {result["name"].split(".")[0] for result in record["results"]} == {"use", "told", "untold"}
    assert all(len(result["samples"]) == 2 for result in record["results"])
    assert "RevokeGrant" in table


def test_the_job_engine_is_measured(short_folder):
    record, table = bench(short_folder, "jobs", "--section", "accept", "--section", "recovery")
    assert {result["name"] for result in record["results"]} == {"accept.one", "accept.batch", "recovery"}
    assert all(sample["wallSeconds"] > 0 for result in record["results"] for sample in result["samples"])
    assert "accepted jobs a second" in table
