"""Runs a cluster and a Prometheus, works a small load, and asks for what every panel of deploy/dashboards would show."""
import itertools
import json
import math
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Clients"))
from conftest import SERVICES, Cluster, Customer, monthly_csv, wait_for  # noqa: E402

RATE_INTERVAL = "10s"
LOAD_SECONDS = 30


class Prometheus:
    """A server of this run's own, with the files of deploy/prometheus."""

    def __init__(self, cluster):
        self.folder = cluster.data / "prometheus"
        self.folder.mkdir()
        source = ROOT / "deploy" / "prometheus"
        configuration = (source / "prometheus.yml").read_text()
        configuration = configuration.replace("/var/lib/forecastle/dials", str(cluster.data / "dials"))
        configuration = configuration.replace("5s", "1s").replace("4s", "1s")
        (self.folder / "prometheus.yml").write_text(configuration)
        (self.folder / "alerts.yml").write_text((source / "alerts.yml").read_text())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.process = None

    def start(self):
        log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
             f"--web.listen-address={self.address}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def ready():
            if self.process.poll() is not None:
                raise AssertionError("prometheus ended:\n" + (self.folder / "log").read_text()[-2000:])
            try:
                return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5).status == 200
            except OSError:
                return False

        wait_for("Prometheus to be ready", ready, 60)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)

    def get(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def series(self, expression, start, end):
        """[(labels, [(time, value)])] without what is no number."""
        expression = expression.replace("$__rate_interval", RATE_INTERVAL)
        found = []
        for result in self.get("query_range", query=expression, start=start, end=end, step=2)["result"]:
            values = [(at, float(value)) for at, value in result["values"]]
            values = [(at, value) for at, value in values if math.isfinite(value)]
            if values:
                found.append((result["metric"], values))
        return found


def load(cluster):
    """A few jobs of several kinds, one of them ended by a revoked grant."""
    clients = {service: cluster.client(service) for service in SERVICES}
    (cluster.buckets / "customer").mkdir(exist_ok=True)
    customer = Customer(cluster, clients, "customer")
    role = customer.role("dashboards")
    key = customer.key(role)
    dataset = customer.dataset("small", key, role)
    path = customer.put("small.csv", monthly_csv())
    # One after the other: a dataset takes one import at a time. For as long as rates need to be seen.
    until = time.monotonic() + LOAD_SECONDS
    for number in itertools.count():
        if time.monotonic() > until:
            break
        assert customer.wait(customer.import_(f"small{number}", dataset, path, role))["Status"] == "ACTIVE"
    large = customer.dataset("large", key, role)
    path = customer.put("large.csv", monthly_csv(items=1500))
    assert customer.wait(customer.import_("large", large, path, role))["Status"] == "ACTIVE"
    print("predictor:", customer.wait(predictor(customer, "small", dataset, key, role))["Status"], flush=True)
    # Fitting models takes its time, under a key lease throughout.
    arn = predictor(customer, "large", large, key, role)
    wait_for("a key lease", lambda: customer.job_grants(key) and metric(cluster, "forecastle_key_leases_held"))
    for grant in customer.job_grants(key):
        customer.kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    ended = customer.wait(arn)
    print("revoked in the middle:", ended["Status"], ended.get("Message", ""), flush=True)


def predictor(customer, name, dataset, key, role):
    group = customer.forecast.create_dataset_group(
        DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    return customer.forecast.create_auto_predictor(
        PredictorName=name, ForecastHorizon=6, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": key, "RoleArn": role})["PredictorArn"]


def metric(cluster, name):
    total = 0.0
    for file in (cluster.data / "dials").glob("worker-*.json"):
        target = json.loads(file.read_text())[0]["targets"][0]
        for line in urllib.request.urlopen(f"http://{target}/metrics", timeout=10).read().decode().splitlines():
            if line.startswith(name):
                total += float(line.split()[-1])
    return total


def check_logs(cluster):
    count = 0
    for process in ("api", "authority", "worker-1", "worker-2"):
        for line in (cluster.data / "logs" / f"{process}.log").read_text().splitlines():
            assert {"time", "level", "logger", "message"} <= set(json.loads(line)), line
            count += 1
    print(f"{count} lines of the logs are JSON", flush=True)


def draw(dashboard, panels, file):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    rows = (len(panels) + 2) // 3
    figure, axes = pyplot.subplots(rows, 3, figsize=(18, 3.4 * rows), squeeze=False)
    for place, axis in enumerate(axes.flat):
        if place >= len(panels):
            axis.axis("off")
            continue
        panel, results = panels[place]
        for target, series in results:
            for labels, values in series[:12]:
                legend = target["legendFormat"]
                for name, value in labels.items():
                    legend = legend.replace("{{%s}}" % name, value)
                start = dashboard["start"]
                axis.plot([at - start for at, _ in values], [value for _, value in values], linewidth=1.2, label=legend)
        axis.set_title(panel["title"], fontsize=9)
        axis.set_ylim(bottom=0)
        axis.tick_params(labelsize=7)
        axis.legend(fontsize=6, loc="upper left", framealpha=0.5)
    figure.suptitle(f"{dashboard['title']} (seconds since the load began)", fontsize=12)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    figure.savefig(file, dpi=75)
    pyplot.close(figure)


def main(pictures):
    cluster = Cluster("dashboards", "--workers", "2", "--log-format", "json", "--throwaway")
    prometheus = None
    try:
        cluster.start()
        prometheus = Prometheus(cluster).start()

        def scraped():
            return sum(target["health"] == "up" for target in prometheus.get("targets")["activeTargets"]) == 4

        wait_for("Prometheus to scrape all four processes", scraped, 60)
        start = time.time()
        load(cluster)
        # Until a range holds scrapes from before and after what happened last.
        wait_for("the last moments to be scraped", lambda: prometheus.series(
            "increase(forecastle_revocation_seconds_count[1h]) > 0", start, time.time()), 60)
        assert scraped()
        end = time.time()
        broken = [rule["name"] for group in prometheus.get("rules")["groups"] for rule in group["rules"]
                  if rule["health"] != "ok"]
        assert not broken, f"rules that cannot be evaluated: {broken}"
        firing = [alert["labels"]["alertname"] for alert in prometheus.get("alerts")["alerts"] if alert["state"] == "firing"]
        print("alerts that fire:", ", ".join(sorted(set(firing))) or "none", flush=True)
        empty, asked = [], 0
        for file in sorted((ROOT / "deploy" / "dashboards").glob("*.json")):
            dashboard = json.loads(file.read_text()) | {"start": start}
            panels = []
            for panel in dashboard["panels"]:
                results = [(target, prometheus.series(target["expr"], start, end)) for target in panel["targets"]]
                asked += len(results)
                empty += [f"{file.name}: {panel['title']}: {target['expr']}" for target, series in results if not series]
                panels.append((panel, results))
            draw(dashboard, panels, pictures / f"{file.stem}.png")
        check_logs(cluster)
        print(f"{asked} queries of the dashboards; pictures in {pictures}", flush=True)
        assert not empty, "no data for:\n" + "\n".join(empty)
        print("every panel shows data", flush=True)
    finally:
        if prometheus:
            prometheus.stop()
        cluster.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
