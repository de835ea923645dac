"""Each part of a cluster restarted in order under load, then PostgreSQL. Run by deploy/rolling-restart."""
import argparse
import collections
import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

from botocore.config import Config

from conftest import ACCOUNT, REGION, SERVICES, Cluster, Customer, monthly_csv, wait_for

# The SDK's own policy: waits of up to 1, 2, 4, 8… seconds between attempts.
RETRIES = {"mode": "standard", "max_attempts": 8}


def say(text):
    print(f"==> {text}", flush=True)


class Load:
    """Clients that never stop: jobs, keys in use, lists. What fails in spite of the SDK's retries is kept."""

    def __init__(self, cluster, customer, role, key):
        self.cluster, self.role, self.key = cluster, role, key
        self.customer = Customer(
            cluster, {service: cluster.client_with(service) for service in SERVICES}, "customer")
        self.path = customer.put("rolling.csv", monthly_csv())
        self.jobs, self.failures, self.calls = [], [], collections.Counter()
        # Creations whose first answer was lost, and whose repetition by the SDK found them done.
        self.repeated = 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(body,)) for body in (self.make_job, self.use_key, self.look)]

    def run(self, body):
        for number in itertools.count():
            if self.ended.is_set():
                return
            try:
                body(number)
                self.calls[body.__name__] += 1
            except Exception as error:  # noqa: BLE001: whatever it is, a client saw it
                self.failures.append(f"{body.__name__}: {error}")
            time.sleep(0.05)

    def make_job(self, number):
        name = f"rolling_{number}"
        dataset = self.once(
            lambda: self.customer.dataset(name, self.key, self.role), f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset/{name}")
        self.jobs.append(self.once(
            lambda: self.customer.import_(name, dataset, self.path, self.role),
            f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset-import-job/{name}/{name}"))

    def once(self, create, arn):
        try:
            return create()
        except self.customer.forecast.exceptions.ResourceAlreadyExistsException:
            self.repeated += 1
            return arn

    def use_key(self, number):
        made = self.customer.kms.generate_data_key(KeyId=self.key, KeySpec="AES_256", EncryptionContext={"n": str(number)})
        opened = self.customer.kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"n": str(number)})
        assert opened["Plaintext"] == made["Plaintext"]

    def look(self, number):
        self.customer.forecast.list_dataset_import_jobs(MaxResults=10)
        self.customer.trail.lookup_events(MaxResults=5)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


class RollingCluster(Cluster):
    def client_with(self, service):
        import boto3
        return boto3.session.Session().client(
            service, region_name=REGION, endpoint_url=self.env[f"AWS_ENDPOINT_URL_{service.upper()}"],
            config=Config(retries=RETRIES, connect_timeout=5, read_timeout=30), verify=self.ca_bundle,
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"])

    def broker(self):
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words[0].endswith(b"forecastle-broker") and str(self.data).encode() in words:
                    found.append(int(entry.name))
        return found

    def postgres(self):
        try:
            return [int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])]
        except (OSError, IndexError, ValueError):
            return []

    def restart(self, what, pid, pids, ask=signal.SIGTERM):
        """Asks one process to end and waits for the one that takes its place."""
        before = set(pids())
        started = time.monotonic()
        os.kill(pid, ask)
        wait_for(f"{what} to end", lambda: pid not in pids() or not Path(f"/proc/{pid}").exists(), 60)
        wait_for(f"{what} to be back", lambda: set(pids()) - before, 60)
        return time.monotonic() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1, help="how often everything is restarted")
    rounds = parser.parse_args().rounds
    cluster = RollingCluster("rolling", "--workers", "2", "--authority-quota-percent", "0")
    try:
        cluster.start()
        roll(cluster, rounds)
    finally:
        cluster.stop()
    print("1 passed, 0 failed")


def roll(cluster, rounds):
    (cluster.buckets / "customer").mkdir()
    customer = Customer(cluster, {service: cluster.client_with(service) for service in SERVICES}, "customer")
    role = customer.role("Rolling")
    key = customer.key(role)
    with Load(cluster, customer, role, key) as load:
        def steady(since):
            """Every kind of call went through again, and jobs end."""
            wait_for("calls to go on", lambda: all(load.calls[name] > since[name] + 2 for name in since), 120)

        wait_for("the load to run", lambda: len(load.jobs) >= 3 and len(load.calls) == 3, 120)
        for _ in range(rounds):
            parts = [("authority", None), ("api", None), ("worker", 0), ("worker", 1), ("broker", None), ("postgres", None)]
            for part, index in parts:
                pids = {"broker": cluster.broker, "postgres": cluster.postgres}.get(part, lambda: sorted(cluster.processes(part)))
                before = dict(load.calls)
                seconds = cluster.restart(
                    part, pids()[index or 0], pids, signal.SIGINT if part == "postgres" else signal.SIGTERM)
                steady(before)
                say(f"{part}: a new process after {seconds:.1f} s; {sum(load.calls.values())} calls so far, "
                    f"{len(load.failures)} failed")
    say(f"calls: {dict(load.calls)}; jobs accepted: {len(load.jobs)}; "
        f"creations that were done although their first answer was lost: {load.repeated}")
    assert not load.failures, "\n".join(load.failures[:10])
    for arn in load.jobs:
        answer = customer.wait(arn, seconds=600)
        assert answer["Status"] == "ACTIVE", f"{arn}: {answer['Status']} {answer.get('Message')}"
    say(f"all {len(load.jobs)} jobs are ACTIVE")
    print(cluster.tool("verify").stdout)
    print(cluster.tool("audit", "verify").stdout.splitlines()[-1])
    doctor = cluster.tool("doctor", check=False)
    print(doctor.stdout[doctor.stdout.index("problems"):].strip())


if __name__ == "__main__":
    sys.exit(main())
