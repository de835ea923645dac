"""`forecastle bench`, with tiny sizes: that it works, never how fast."""
import json
import subprocess
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
