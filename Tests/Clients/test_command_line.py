"""Settings, doctor and migrations as an operator meets them."""
import subprocess

from conftest import BIN, ROOT


def run(*arguments):
    return subprocess.run([BIN / "forecastle", *arguments], capture_output=True, text=True)


def test_the_committed_configuration_is_the_table_of_settings():
    assert run("doctor", "--defaults").stdout == (ROOT / "config" / "forecastle.yaml").read_text()


def test_the_committed_configuration_can_be_read():
    assert "worker.slots" in run("doctor", "--config", ROOT / "config" / "forecastle.yaml").stdout


def test_an_unknown_setting_is_refused_by_name(tmp_path):
    (tmp_path / "bad.yaml").write_text("worker:\n  slotz: 3\n")
    result = run("doctor", "--config", tmp_path / "bad.yaml")
    assert result.returncode != 0 and "worker.slotz" in result.stderr


def test_a_value_out_of_bounds_says_what_would_be_right():
    result = run("doctor", "--worker-slots", "none")
    assert result.returncode != 0
    assert "worker.slots must be a whole number from 1 to 256" in result.stderr


def test_doctor_finds_nothing_wrong_with_the_cluster_and_prints_no_secret(cluster):
    result = cluster.tool("doctor")
    assert "none" in result.stdout.split("problems")[1]
    assert "<redacted>" in result.stdout
    assert "user=forecastle_jobs" not in result.stdout


def test_migrations_are_verified(cluster):
    assert "as it should be" in cluster.tool("migrate", "verify").stdout
    assert "missing" not in cluster.tool("migrate", "status").stdout
    assert "up to date" in cluster.tool("migrate", "up").stdout


def test_a_changed_migration_is_refused(cluster, tmp_path):
    subprocess.run(["cp", "-r", ROOT / "migrations", tmp_path], check=True)
    with open(tmp_path / "migrations" / "jobs" / "0002_jobs.sql", "a") as file:
        file.write("-- changed\n")
    result = cluster.tool("migrate", "verify", "--migrations-directory", str(tmp_path / "migrations"), check=False)
    assert result.returncode != 0 and "0002_jobs.sql" in result.stderr
