"""The dials of a running cluster: health, readiness by dependency, metrics under the names that Telemetry has, and one trace
from a client's request through API, worker and authority."""
import json
import os
import re
import signal
import ssl
import urllib.error
import urllib.request
import uuid

import pytest

from conftest import REGION, ROOT, Customer, monthly_csv, wait_for

ROLES = {
    "authority": {"postgres-authority", "kafka", "vault", "audit-heads"},
    "api": {"postgres-jobs", "kafka", "authority", "artifacts"},
    "worker-1": {"postgres-jobs", "postgres-beat", "kafka", "authority", "artifacts", "buckets"},
}


def trust(cluster):
    return ssl.create_default_context(cafile=cluster.env["AWS_CA_BUNDLE"])


def get(url, cluster=None):
    try:
        with urllib.request.urlopen(url, timeout=30, context=trust(cluster) if cluster else None) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module")
def dials(cluster):
    return dict(entry.split("=", 1) for entry in cluster.env["FORECASTLE_DIALS"].split(","))


@pytest.fixture(scope="module")
def traced(cluster, clients, bucket):
    """An import whose request carried a sampled trace, outside its signature: the trace's id, the request's, the job's."""
    customer = Customer(cluster, clients, bucket)
    name = "dials" + uuid.uuid4().hex[:8]
    role = customer.role(name)
    dataset = customer.dataset(name, customer.key(role), role)
    path = customer.put(f"{name}/in.csv", monthly_csv())
    trace = uuid.uuid4().hex
    client = cluster.client("forecast")
    client.meta.events.register(
        "before-send.forecast",
        lambda request, **_: request.headers.__setitem__("traceparent", f"00-{trace}-00f067aa0ba902b7-01"))
    answer = client.create_dataset_import_job(
        DatasetImportJobName=name, DatasetArn=dataset, DataSource={"S3Config": {"Path": path, "RoleArn": role}},
        TimestampFormat="yyyy-MM-dd HH:mm:ss")
    arn = answer["DatasetImportJobArn"]
    assert customer.wait(arn)["Status"] == "ACTIVE"
    [job] = cluster.sql("jobs", f"SELECT job FROM resources WHERE arn = '{arn}'")
    return {"trace": trace, "request": answer["ResponseMetadata"]["RequestId"], "job": job}


def test_every_process_is_alive_and_ready_by_name(dials):
    assert {"authority", "api", "worker-1", "worker-2"} <= set(dials)
    for process, url in dials.items():
        assert get(url + "/healthz") == (200, "ok\n")
        status, text = get(url + "/readyz")
        report = json.loads(text)
        assert status == 200 and report["ready"] and not report["stopping"], report
        assert {check["name"] for check in report["checks"]} == ROLES.get(process, ROLES["worker-1"])
        assert get(url + "/")[0] == 404 and get(url + "/metrics?x=1")[0] == 405


def test_the_customers_port_has_no_dials(cluster):
    for service in ("FORECAST", "KMS"):
        for path in ("/metrics", "/readyz"):
            status, text = get(cluster.env[f"AWS_ENDPOINT_URL_{service}"] + path, cluster)
            assert status >= 400 and "process" not in text


def test_prometheus_finds_every_process(cluster, dials):
    for process, url in dials.items():
        [group] = json.loads((cluster.data / "dials" / f"{process}.json").read_text())
        assert group["targets"] == [url.removeprefix("http://")]
        assert group["labels"] == {"role": process.split("-")[0], "process": process}


def test_readiness_says_which_dependency_is_away(cluster, dials):
    [authority] = cluster.processes("authority")
    os.kill(authority, signal.SIGSTOP)
    try:
        def away():
            status, text = get(dials["api"] + "/readyz")
            failed = {check["name"]: check["why"] for check in json.loads(text)["checks"] if not check["ok"]}
            return failed if status == 503 else None

        assert set(wait_for("the API to miss the authority", away)) == {"authority"}
        assert 'forecastle_dependency_up{dependency="authority"} 0' in get(dials["api"] + "/metrics")[1]
    finally:
        os.kill(authority, signal.SIGCONT)
    wait_for("the API to be ready again", lambda: get(dials["api"] + "/readyz")[0] == 200)


def names():
    """Every metric of the sources, as Prometheus has it."""
    found = {}
    for file in (ROOT / "Sources/Telemetry/Metrics").glob("MetricName+*.swift"):
        for constant, kind, name in re.findall(
                r'static let (\w+) = (counter|gauge|histogram)\(\s*"(\w+)"', file.read_text()):
            found[constant] = {"counter": name + "_total", "gauge": name, "histogram": name + "_bucket"}[kind]
    assert len(found) > 50
    return set(found.values())


def test_every_metric_is_on_some_process_that_ran_a_job(dials, traced):
    def missing():
        seen = set()
        for url in dials.values():
            status, text = get(url + "/metrics")
            assert status == 200
            seen |= {re.split(r"[ {]", line)[0] for line in text.splitlines() if not line.startswith("#")}
        return names() - seen

    # The leader reads the queues every two seconds.
    wait_for("every metric to be there", lambda: not missing(), seconds=60)


def test_metrics_name_no_customer(cluster, dials, traced):
    text = "".join(get(url + "/metrics")[1] for url in dials.values())
    for word in ("arn:aws", cluster.env["AWS_ACCESS_KEY_ID"], cluster.env["AWS_SECRET_ACCESS_KEY"], "123456789012",
                 traced["job"], traced["trace"], str(cluster.data)):
        assert word not in text


def test_an_operation_that_is_none_is_no_label(cluster, dials):
    operation = "Made" + uuid.uuid4().hex
    before = get(dials["authority"] + "/metrics")[1]
    for service, prefix in (("FORECAST", "AmazonForecast"), ("KMS", "TrentService")):
        request = urllib.request.Request(
            cluster.env[f"AWS_ENDPOINT_URL_{service}"], data=b"{}", headers={"X-Amz-Target": f"{prefix}.{operation}"})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=30, context=trust(cluster))
    wait_for("a new text", lambda: get(dials["authority"] + "/metrics")[1] != before)
    for process in ("api", "authority"):
        text = get(dials[process] + "/metrics")[1]
        assert operation not in text and 'operation="unknown"' in text


def lines(cluster, process, *words):
    text = (cluster.data / "logs" / f"{process}.log").read_text()
    return [line for line in text.splitlines() if all(word in line for word in words)]


def test_one_trace_runs_from_the_request_to_the_authority(cluster, traced):
    trace = f"trace_id={traced['trace']}"
    assert lines(cluster, "api", trace, f"request_id={traced['request']}", "operation=CreateDatasetImportJob", "code=OK")
    assert cluster.sql("jobs", f"SELECT substr(traceparent, 4, 32) FROM job WHERE id = '{traced['job']}'"
                       f" UNION ALL SELECT substr(traceparent, 4, 32) FROM job_history WHERE id = '{traced['job']}'") == [traced["trace"]]
    workers = [line for number in (1, 2) for line in lines(cluster, f"worker-{number}", trace, "A task is done")]
    roles = {re.search(r" role=(\w+)", line).group(1) for line in workers}
    assert roles == {"plan", "work", "commit"}
    for line in workers:
        assert f" job={traced['job']} " in line and " kind=import " in line
        assert re.search(r" task=\S+ ", line) and re.search(r" attempt=1 ", line)
    # A span a task, and none of them the client's.
    spans = {re.search(r" span_id=(\w+)", line).group(1) for line in workers}
    assert len(spans) == len(workers) and "00f067aa0ba902b7" not in spans
    calls = lines(cluster, "authority", trace, "request answered", "request_id=")
    operations = {re.search(r" operation=(\w+)", line).group(1) for line in calls}
    assert {"Authorize", "AssumeRole", "CreateGrant", "GenerateDataKey", "RetireGrant"} <= operations


@pytest.mark.parametrize("header", [
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 4000])
@pytest.mark.parametrize("moment", ["before-sign", "before-send"])
@pytest.mark.parametrize("service, call", [("forecast", "list_datasets"), ("kms", "list_keys")])
def test_a_trace_changes_no_answer(cluster, service, call, moment, header):
    client = cluster.client(service)

    def add(request, **_):
        request.headers["traceparent"] = header

    client.meta.events.register(f"{moment}.{service}", add)
    assert getattr(client, call)()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_who_is_not_known_fills_no_log(cluster):
    trace = uuid.uuid4().hex
    client = cluster.client("forecast", {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "no"})
    client.meta.events.register(
        "before-send.forecast",
        lambda request, **_: request.headers.__setitem__("traceparent", f"00-{trace}-00f067aa0ba902b7-01"))
    with pytest.raises(client.exceptions.ClientError):
        client.list_datasets()
    assert not lines(cluster, "api", f"trace_id={trace}", "request answered")
