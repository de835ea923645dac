"""Whole jobs under keys and roles that are not the authority's, at moto's server: no extension of ours helps there.

moto checks signatures, identity policies and trust policies (ExternalId where one is sent). It knows no key policies but Deny on
DescribeKey, no enforcement of grants, no DryRun, no names of grants, no states of keys and no SimulatePrincipalPolicy: what
those would refuse is not seen here. `docs/aws.md` says what of AWS stays untested.
"""
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, REGION, SERVICES, Cluster, Customer, monthly_csv, wait_for

# Where customers' keys are: moto's account. The service's own account there is the same, since moto's KMS serves an account's own
# callers only.
THERE = "123456789012"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
KEY_ROLE = ["kms:DescribeKey", "kms:CreateGrant", "kms:RetireGrant"]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*"):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def moto_server():
    """The interpreter of an environment that has moto: this one, or one made for it in the user's cache."""
    have = subprocess.run([sys.executable, "-c", "import moto.server"], capture_output=True)
    if have.returncode == 0:
        return sys.executable
    folder = Path(f"/var/tmp/forecastle-{os.getuid()}/moto-venv")
    python = folder / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", "import moto.server"], capture_output=True).returncode != 0:
        for command in ([sys.executable, "-m", "venv", str(folder)],
                        [str(python), "-m", "pip", "install", "--quiet", "moto[server]"]):
            made = subprocess.run(command, capture_output=True, text=True)
            if made.returncode != 0:
                pytest.skip(f"moto's server can't be installed: {made.stderr.strip()[-200:]}")
    return str(python)


class Moto:
    """moto's server on a free port, and the people and roles that are needed in it."""

    def __init__(self, folder):
        python = moto_server()
        self.log = folder / "moto.log"
        self.port = LoopbackPort.take()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=open(self.log, "wb"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        wait_for("moto's server", self.answers, 120)
        self.owner = self.user("owner", EVERYTHING)
        self.service = self.user("forecastle", allow("sts:AssumeRole"))
        arn = f"arn:aws:iam::{THERE}:user/forecastle"
        trust = policy({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"})
        self.roles = {
            name: self.role(name, trust, allow(*actions)) for name, actions in {
                "forecastle-worker": ["kms:Decrypt", "kms:GenerateDataKey"],
                "forecastle-reader": ["kms:Decrypt"],
                "forecastle-sweeper": ["kms:RetireGrant", "kms:ListRetirableGrants"],
            }.items()}

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            urllib.request.urlopen(self.url + "/moto-api/data.json", timeout=5).read()
            return True
        except OSError:
            return False

    def check_everything(self):
        """From here on every call needs a signature that holds and a policy that allows it."""
        request = urllib.request.Request(
            self.url + "/moto-api/reset-auth", data=b"0", method="POST", headers={"Content-Type": "text/plain"})
        assert urllib.request.urlopen(request).status == 200

    def client(self, service, key=None):
        key = key or getattr(self, "owner", {"AccessKeyId": "x", "SecretAccessKey": "x"})
        return boto3.session.Session().client(
            service, region_name=REGION, endpoint_url=self.url, aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"])

    def user(self, name, statement):
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="access", PolicyDocument=policy(statement))
        return iam.create_access_key(UserName=name)["AccessKey"]

    def role(self, name, trust, *statements):
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="access", PolicyDocument=policy(*statements))
        return arn

    def key(self):
        # moto leaves out of DescribeKey what it was not told; AWS does not.
        return self.client("kms").create_key(
            KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]

    def grants(self, key):
        return self.client("kms").list_grants(KeyId=key)["Grants"]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


class LoopbackPort:
    @staticmethod
    def take():
        with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
            return server.server_address[1]


class Elsewhere:
    """A cluster whose customers' keys and roles are moto's."""

    def __init__(self, name, *flags, check="map"):
        self.cluster = Cluster(name)
        self.flags, self.check = flags, check

    def __enter__(self):
        data = self.cluster.data
        try:
            self.moto = Moto(data)
            credentials = data / "there.json"
            credentials.touch(mode=0o600)
            credentials.write_text(json.dumps({k: self.moto.service[k] for k in ("AccessKeyId", "SecretAccessKey")}))
            callers = data / "callers.json"
            self.callers = callers
            # Filled by tests before the API reads it: it reads it once, at its start.
            callers.write_text(json.dumps({"policies": {
                f"arn:aws:iam::{ACCOUNT}:user/admin": json.loads(policy(allow("kms:Decrypt", "kms:GenerateDataKey"))),
                f"arn:aws:iam::{THERE}:role/Customer": json.loads(policy(allow("s3:*"))),
                f"arn:aws:iam::{THERE}:role/NoBucket": json.loads(policy(allow("s3:GetObject"))),
            }}))
            self.cluster.flags = (
                "--workers", "1", "--keys-endpoint", self.moto.url, "--sts-endpoint", self.moto.url,
                "--aws-credentials-file", str(credentials),
                "--keys-worker-role", self.moto.roles["forecastle-worker"],
                "--keys-reader-role", self.moto.roles["forecastle-reader"],
                "--keys-sweeper-role", self.moto.roles["forecastle-sweeper"],
                "--keys-caller-check", self.check, "--keys-callers-file", str(callers), *self.flags)
            self.cluster.start()
            (self.cluster.buckets / "customer").mkdir(exist_ok=True)
            self.customer = Customer(
                self.cluster, {service: self.cluster.client(service) for service in SERVICES}, "customer")
            self.external_id = self.cluster.tool("admin", "external-id", ACCOUNT).stdout.strip()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.cluster.stop()
        if hasattr(self, "moto"):
            self.moto.stop()

    def trust(self, external_id):
        return policy({
            "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{THERE}:user/forecastle"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}}})


@pytest.fixture(scope="module")
def elsewhere():
    with Elsewhere("elsewhere") as world:
        moto = world.moto
        world.role = moto.role("Customer", world.trust(world.external_id), allow(*KEY_ROLE))
        world.deputy = moto.role("Deputy", world.trust("another-customers-id-0000"), allow(*KEY_ROLE))
        world.no_bucket = moto.role("NoBucket", world.trust(world.external_id), allow(*KEY_ROLE))
        world.no_grants = moto.role("NoGrants", world.trust(world.external_id), allow("kms:DescribeKey"))
        world.key = moto.key()
        world.model_key = moto.key()
        moto.check_everything()
        yield world


def test_moto_checks_what_these_tests_rely_on(elsewhere):
    wrong = {**elsewhere.moto.service, "SecretAccessKey": "wrong"}
    with pytest.raises(ClientError) as refused:
        elsewhere.moto.client("sts", wrong).assume_role(RoleArn=elsewhere.role, RoleSessionName="test")
    assert refused.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    with pytest.raises(ClientError) as refused:
        elsewhere.moto.client("sts", elsewhere.moto.service).assume_role(
            RoleArn=elsewhere.role, RoleSessionName="test", ExternalId="some-other-id-00000")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    with pytest.raises(ClientError):
        elsewhere.moto.client("kms", elsewhere.moto.service).generate_data_key(KeyId=elsewhere.key, NumberOfBytes=32)


def test_whole_jobs_from_import_to_a_sealed_export(elsewhere, name):
    world, customer = elsewhere, elsewhere.customer
    f = customer.forecast
    dataset = customer.dataset(name, world.key, world.role)
    assert world.moto.grants(world.key) == [], "asking whether a grant could be made has left one"
    group = f.create_dataset_group(DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
    path = customer.put(f"{name}/history.csv", monthly_csv(items=3))
    imported = customer.wait(customer.import_("first", dataset, path, world.role))
    assert imported["Status"] == "ACTIVE", imported.get("Message")
    assert imported["FieldStatistics"]["item_id"]["Count"] == 216
    predictor = f.create_auto_predictor(
        PredictorName=name, ForecastHorizon=3, ForecastFrequency="M", DataConfig={"DatasetGroupArn": group},
        EncryptionConfig={"KMSKeyArn": world.model_key, "RoleArn": world.role})["PredictorArn"]
    trained = customer.wait(predictor)
    assert trained["Status"] == "ACTIVE", trained.get("Message")
    assert f.get_accuracy_metrics(PredictorArn=predictor)["PredictorEvaluationResults"]
    forecast = f.create_forecast(ForecastName=name, PredictorArn=predictor)["ForecastArn"]
    assert customer.wait(forecast)["Status"] == "ACTIVE"
    answer = customer.query.query_forecast(ForecastArn=forecast, Filters={"item_id": "item1"})
    assert len(answer["Forecast"]["Predictions"]["p50"]) == 3
    exports = {}
    for sealed in (False, True):
        config = {"Path": f"s3://customer/{name}-{sealed}", "RoleArn": world.role}
        if sealed:
            config["KMSKeyArn"] = world.key
        export = f.create_forecast_export_job(
            ForecastExportJobName=f"{name}{sealed:d}", ForecastArn=forecast,
            Destination={"S3Config": config})["ForecastExportJobArn"]
        done = customer.wait(export)
        assert done["Status"] == "ACTIVE", done.get("Message")
        [exports[sealed]] = [p for p in (customer.cluster.buckets / f"customer/{name}-{sealed}").rglob("*") if p.is_file()]
    assert opened(world, exports[True]) == exports[False].read_bytes()
    # Reading grants live for a minute and are retired then; those of jobs are gone with the job.
    for key in (world.key, world.model_key):
        assert [g for g in world.moto.grants(key) if g["Name"].startswith("job/")] == []
    reading = [g for g in world.moto.grants(world.model_key) if g["Name"].startswith("read/")]
    assert reading, "queries read under grants of their own"
    for grant in reading:
        assert grant["GranteePrincipal"].startswith(f"arn:aws:sts::{THERE}:assumed-role/forecastle-reader/api-")
        assert grant["RetiringPrincipal"] == world.moto.roles["forecastle-sweeper"]
        assert grant["Operations"] == ["Decrypt"]
        assert set(grant["Constraints"]["EncryptionContextSubset"]) == {
            "forecastle:account", "forecastle:resource", "forecastle:incarnation"}


def opened(world, path):
    """The plaintext of an exported file, by the official SDK under the key at moto."""
    sdk = pytest.importorskip("aws_encryption_sdk")
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
    keyring = AwsCryptographicMaterialProviders(MaterialProvidersConfig()).create_aws_kms_keyring(
        CreateAwsKmsKeyringInput(kms_key_id=world.key, kms_client=world.moto.client("kms")))
    return sdk.EncryptionSDKClient().decrypt(source=path.read_bytes(), keyring=keyring)[0]


def test_default_keys_stay_with_the_authority(elsewhere, name):
    customer = elsewhere.customer
    dataset = customer.dataset(name)
    path = customer.put(f"{name}/history.csv", monthly_csv(items=1))
    done = customer.wait(customer.import_("first", dataset, path, elsewhere.role))
    assert done["Status"] == "ACTIVE", done.get("Message")
    assert done["FieldStatistics"]["item_id"]["Count"] == 72
    keys = elsewhere.cluster.sql("jobs", f"""
        SELECT DISTINCT g.key_arn FROM job_grant g JOIN job j ON j.id = g.job
        WHERE j.resource LIKE '%/{name}/%' AND g.state = 'retired'""")
    assert [key.split(":")[4] for key in keys] == ["999999999999"]


@pytest.mark.parametrize("which, reason", [
    ("deputy", "not authorized to perform: sts:AssumeRole"), ("no_grants", "kms:CreateGrant")])
def test_a_role_that_may_not_is_refused_at_the_call(elsewhere, name, which, reason):
    with pytest.raises(ClientError) as refused:
        elsewhere.customer.dataset(name, elsewhere.key, getattr(elsewhere, which))
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert reason in refused.value.response["Error"]["Message"]
    assert [g for g in elsewhere.moto.grants(elsewhere.key) if g["Name"].startswith("job/")] == []


def test_the_map_of_callers_decides(elsewhere, name):
    customer = elsewhere.customer
    stranger = elsewhere.cluster.client("forecast", customer.user(
        f"stranger{name}", json.loads(policy(EVERYTHING))))
    with pytest.raises(ClientError) as refused:
        Customer(elsewhere.cluster, {**{s: None for s in SERVICES}, "forecast": stranger}, "customer").dataset(
            name, elsewhere.key, elsewhere.role)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "kms:Decrypt" in refused.value.response["Error"]["Message"]
    # Passing the role is the authority's question still, though it does not have the role.
    keeper = elsewhere.cluster.client("forecast", customer.user(
        f"nopass{name}", json.loads(policy(EVERYTHING, {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}))))
    with pytest.raises(ClientError) as refused:
        Customer(elsewhere.cluster, {**{s: None for s in SERVICES}, "forecast": keeper}, "customer").dataset(
            name, elsewhere.key, elsewhere.role)
    assert "iam:PassRole" in refused.value.response["Error"]["Message"]
    dataset = customer.dataset(name, elsewhere.key, elsewhere.role)
    with pytest.raises(ClientError) as refused:
        customer.import_("first", dataset, customer.put(f"{name}/h.csv", monthly_csv(items=1)), elsewhere.no_bucket)
    assert "s3:ListBucket" in refused.value.response["Error"]["Message"]


def test_a_right_that_is_withdrawn_ends_a_job_without_an_announcement(name):
    """The key lease alone notices: nobody announces anything there."""
    with Elsewhere(name, "--faulty-worker", "chunk.recorded:1=stop", "--worker-key-lease-ms", "500",
                   "--worker-chunk-bytes", "65536", "--worker-slots", "1") as world:
        moto, customer = world.moto, world.customer
        role = moto.role("Customer", world.trust(world.external_id), allow(*KEY_ROLE))
        key = moto.key()
        moto.check_everything()
        rows = "".join(f"item{n:04d},2020-{m:02d}-01 00:00:00,{hashlib.sha256(b'%d' % n).digest()[m]}\n"
                       for n in range(4000) for m in range(1, 11))
        arn = customer.import_("first", customer.dataset(name, key, role), customer.put(f"{name}/h.csv", rows), role)

        def halted():
            return [pid for pid in world.cluster.processes("worker")
                    if Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("T")]

        [pid] = wait_for("the worker to reach the point", halted, every=0.02)
        [grant] = [g for g in moto.grants(key) if g["Name"].startswith("job/")]
        assert grant["GranteePrincipal"].startswith(f"arn:aws:sts::{THERE}:assumed-role/forecastle-worker/")
        moto.client("iam").delete_role_policy(RoleName="forecastle-worker", PolicyName="access")
        os.kill(pid, 18)
        failed = customer.wait(arn)
        assert failed["Status"] == "CREATE_FAILED", failed
        assert key in failed["Message"] and "AccessDenied" in failed["Message"], failed["Message"]
        assert [g for g in moto.grants(key) if g["Name"].startswith("job/")] == []


class Simulator(http.server.BaseHTTPRequestHandler):
    """IAM's SimulatePrincipalPolicy, which moto has not: allows what `allowed` says and keeps what it was asked."""

    allowed, asked = set(), []

    def do_POST(self):
        form = dict(p.split("=", 1) for p in self.rfile.read(int(self.headers["Content-Length"])).decode().split("&"))
        form = {k: urllib.parse.unquote(v) for k, v in form.items()}
        self.asked.append((form, self.headers.get("Authorization", "")))
        actions = [v for k, v in sorted(form.items()) if k.startswith("ActionNames.member.")]
        results = "".join(
            f"<member><EvalActionName>{a}</EvalActionName><EvalDecision>"
            f"{'allowed' if (form['PolicySourceArn'], a) in self.allowed else 'implicitDeny'}</EvalDecision></member>"
            for a in actions)
        body = ("<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>" + results
                + "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_iam_there_is_asked_what_the_caller_may_do(name):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Simulator)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Elsewhere(
                name, "--iam-endpoint", f"http://127.0.0.1:{server.server_address[1]}", check="simulate") as world:
            moto, customer = world.moto, world.customer
            role = moto.role("Customer", world.trust(world.external_id), allow(*KEY_ROLE))
            simulator = moto.role("Simulator", world.trust(world.external_id))
            key = moto.key()
            moto.check_everything()
            with pytest.raises(ClientError) as refused:
                customer.dataset(name, key, role)
            assert "no role that simulates policies" in refused.value.response["Error"]["Message"]
            # The map is read at start: this one names the caller and who asks for it.
            alice = f"arn:aws:iam::{THERE}:user/alice"
            world.callers.write_text(json.dumps({
                "accounts": {ACCOUNT: {"account": THERE, "simulator": simulator}},
                "principals": {f"arn:aws:iam::{ACCOUNT}:user/admin": alice}}))
            [api] = world.cluster.processes("api")
            os.kill(api, 9)
            wait_for("the API to be there again", lambda: [p for p in world.cluster.processes("api") if p != api])

            def try_dataset(suffix):
                try:
                    return customer.dataset(name + suffix, key, role)
                except ClientError as error:
                    return error.response["Error"]["Message"]
                except Exception:
                    return None

            first = wait_for("an answer of the API", lambda: try_dataset("a"))
            assert f"kms:Decrypt on resource: {key} because no policy of {alice} allows it" in first
            Simulator.allowed = {(alice, "kms:Decrypt"), (alice, "kms:GenerateDataKey")}
            dataset = try_dataset("b")
            assert dataset.startswith("arn:aws:forecast:"), dataset
            form, authorization = Simulator.asked[-1]
            assert form["PolicySourceArn"] == alice and form["ResourceArns.member.1"] == key
            assert "/us-east-1/iam/aws4_request" in authorization
            path = customer.put(f"{name}/h.csv", monthly_csv(items=1))
            with pytest.raises(ClientError) as refused:
                customer.import_("first", dataset, path, role)
            assert f"User: {role} is not authorized to perform: s3:GetObject" in refused.value.response["Error"]["Message"]
            Simulator.allowed |= {(role, "s3:GetObject"), (role, "s3:ListBucket")}
            done = customer.wait(customer.import_("first", dataset, path, role))
            assert done["Status"] == "ACTIVE", done.get("Message")
    finally:
        server.shutdown()


def test_without_a_check_of_callers_keys_there_are_refused(name):
    with Elsewhere(name, check="refuse") as world:
        role = world.moto.role("Customer", world.trust(world.external_id), allow(*KEY_ROLE))
        key = world.moto.key()
        with pytest.raises(ClientError) as refused:
            world.customer.dataset(name, key, role)
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
        assert "keys.caller_check" in refused.value.response["Error"]["Message"]
        # What touches no such key is none of its business.
        assert world.customer.dataset(name)
        settings = ("--keys-endpoint", world.moto.url, "--sts-endpoint", world.moto.url)
        report = world.cluster.tool("doctor", *settings, check=False)
        assert report.returncode == 1 and "keys.caller_check: is refuse" in report.stdout, report.stdout + report.stderr
        assert "every 5.0 seconds" in report.stdout
        world.callers.write_text('{"policies": {"arn:aws:iam::123456789012:user/a": {"Statement": {"Effect": "Perhaps"}}}}')
        broken = world.cluster.tool("doctor", *settings, "--keys-callers-file", str(world.callers), check=False)
        assert "keys.callers_file can't be used: policies.arn:aws:iam::123456789012:user/a" in broken.stdout
        half = world.cluster.tool("doctor", "--keys-endpoint", world.moto.url, check=False)
        assert half.returncode != 0 and "sts.endpoint and keys.endpoint must be set both" in half.stderr
