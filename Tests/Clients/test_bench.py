"""`forecastle bench`, with tiny sizes: that it works, never how fast."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import BIN


def bench(*arguments):
    return subprocess.run([BIN / "forecastle", "bench", "seal", "--quick", *arguments], capture_output=True, text=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run with everything written."""
    folder = tmp_path_factory.mktemp("bench")
    page = folder / "page.md"
    page.write_text("# Ours\n\nwritten by hand\n")
    result = bench("--folder", folder, "--save", folder / "record.json", "--chart", folder / "chart.svg", "--page", page)
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


def test_every_section_has_results_and_every_target_its_verdict(run):
    folder, _ = run
    record = json.loads((folder / "record.json").read_text())
    names = {result["name"] for result in record["results"]}
    assert {"memory.seal.boringssl.65536", "memory.open.boringssl.65536", "file.seal.forecastle", "file.open.forecastle",
            "pipe.seal.forecastle", "pipe.open.forecastle", "file.copy.cp"} <= names
    for result in record["results"]:
        assert len(result["samples"]) == 2
        assert all(sample["bytes"] > 0 and sample["cpuSeconds"] >= 0 for sample in result["samples"])
    for target in record["targets"]:
        assert ("reached" in target) == ("seen" in target)
    assert record["machine"]["cores"] > 0


def test_the_table_the_chart_and_the_page_are_written(run):
    folder, table = run
    assert "File to file" in table and "target" in table
    assert (folder / "chart.svg").read_text().startswith("<svg")
    page = (folder / "page.md").read_text()
    assert "written by hand" in page and page.count("<!-- begin forecastle bench seal -->") == 1


def test_no_file_is_left_behind(run):
    folder, _ = run
    assert {path.name for path in folder.iterdir()} == {"record.json", "chart.svg", "page.md"}


def test_an_earlier_run_is_compared_and_a_page_keeps_one_part(run):
    folder, _ = run
    result = bench("--section", "file", "--folder", folder, "--compare", folder / "record.json", "--page", folder / "page.md")
    assert result.returncode == 0, result.stderr
    assert "now/before" in result.stdout
    assert (folder / "page.md").read_text().count("<!-- begin forecastle bench seal -->") == 1


def test_too_little_disk_is_said_before_anything_is_written(tmp_path):
    result = subprocess.run(
        [BIN / "forecastle", "bench", "seal", "--mebibytes", "65536", "--section", "file", "--folder", "/dev/shm"],
        capture_output=True, text=True)
    assert result.returncode == 73 and "free" in result.stderr
    assert not list(Path("/dev/shm").glob("forecastle-bench.*"))


@pytest.fixture
def short_folder():
    """Short enough for a Unix socket, and open to the user that PostgreSQL runs as."""
    base = Path(f"/var/tmp/forecastle-{os.getuid()}")
    base.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench", dir=base))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def whole(folder, name, *arguments):
    """A benchmark that starts a cluster of its own."""
    result = subprocess.run(
        [BIN / "forecastle", "bench", name, "--quick", "--repetitions", "1", "--folder", folder, "--save", folder / "record.json",
         *arguments], capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads((folder / "record.json").read_text()), result.stdout



def drawn(folder):
    return ["--chart", folder / "chart.svg", "--page", folder / "page.md"]


def test_imports_are_measured_with_one_worker_and_with_two(short_folder):
    record, table = whole(short_folder, "import", *drawn(short_folder))
    results = {result["name"]: result["samples"] for result in record["results"]}
    assert {"import.1", "import.2", "import.wc"} <= set(results)
    for sample in results["import.1"] + results["import.2"]:
        assert sample["bytes"] == int(record["settings"]["bytes"]) and sample["cpuSeconds"] > 0 and sample["peakBytes"] > 1 << 20
    assert "MB a CPU second" in table and (short_folder / "chart.svg").read_text().startswith("<svg")
    assert (short_folder / "page.md").read_text().count("<!-- begin forecastle bench import -->") == 1
    assert {path.name for path in short_folder.iterdir()} == {"record.json", "chart.svg", "page.md"}


def test_training_is_measured_in_series_and_rows(short_folder):
    record, table = whole(short_folder, "train", *drawn(short_folder))
    assert {result["name"] for result in record["results"]} == {"train.rows.3x60", "forecast.rows.3x60"}
    assert all(sample["bytes"] == 180 and sample["cpuSeconds"] > 0 for r in record["results"] for sample in r["samples"])
    assert "series a CPU second" in table


def test_the_api_is_measured_with_many_resources(short_folder):
    record, table = whole(short_folder, "api", "--connections", "2", *drawn(short_folder))
    assert {result["name"] for result in record["results"]} == {"api.accept", "api.describe", "api.list", "api.query"}
    for result in record["results"]:
        for sample in result["samples"]:
            assert sample["requests"]["count"] > 0 and 0 < sample["requests"]["p50Seconds"] <= sample["requests"]["p99Seconds"]
    assert len(record["targets"]) == 5 and all("reached" in target for target in record["targets"])


def test_whole_pipelines_are_measured_by_process(short_folder):
    record, table = whole(short_folder, "cluster", "--workers", "1", *drawn(short_folder))
    results = {result["name"]: result["samples"] for result in record["results"]}
    assert {"cluster.all", "cluster.pipeline", "process.worker-1", "process.api", "process.authority", "process.postgres",
            "process.broker"} == set(results)
    assert all(sample["bytes"] == 2 * 3 for sample in results["cluster.all"])
    assert len(results["cluster.pipeline"]) == 2 * len(results["cluster.all"])


def test_capacity_is_predicted_and_held_against_a_run(short_folder):
    record, table = whole(short_folder, "capacity", "--page", short_folder / "page.md")
    assert {check["kind"] for check in record["checks"]} and record["model"]["workerConnections"] > 0
    assert record["model"]["perJob"]["auditRecords"] > 0 and record["model"]["perJob"]["objects"] >= 1
    assert [entry["workers"] for entry in record["runsOut"]] == sorted(entry["workers"] for entry in record["runsOut"])
    assert "1,000 workers" in (short_folder / "page.md").read_text()


@pytest.mark.parametrize("arguments", [
    ["import", "--mebibytes", "0"], ["train", "--series", "3"], ["train", "--horizon", "0"], ["api", "--resources", "3"],
    ["cluster", "--tenants", "0"], ["cluster", "--series", "x"], ["capacity", "--jobs", "1"]])
def test_wrong_use_is_refused(arguments):
    assert subprocess.run([BIN / "forecastle", "bench", *arguments], capture_output=True).returncode == 64


def test_a_fleet_is_simulated(tmp_path):
    result = subprocess.run(
        [BIN / "forecastle", "simulate", "--workers", "20", "--accounts", "2000", "--jobs", "500", "--json"],
        capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["broken"] == [] and report["jobs"] >= 500 and report["heavyWaitMilliseconds"]["count"] > 0
