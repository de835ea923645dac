"""TLS on every hop: a peer that speaks plain text, comes from another authority, has expired or has another name is refused, and
what belongs to the service's own processes is taken only from those that show their certificates."""
import contextlib
import datetime
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, SSLError
from conftest import ACCOUNT, BIN, REGION, Customer, monthly_csv, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def certificates(*arguments, check=True):
    result = subprocess.run([BIN / "forecastle", "admin", "certificates", *arguments], capture_output=True, text=True)
    if check:
        assert result.returncode == 0, result.stderr
    return result


def expired(folder, role, names=()):
    """A certificate that ended an hour ago: the command makes none. Gives the paths of certificate and key."""
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName(name) for name in names] + [x509.UniformResourceIdentifier(f"spiffe://forecastle/{role}")]
    certificate = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(authority.subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now - datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=True).sign(signer, hashes.SHA256()))
    paths = folder / f"expired-{role}.crt", folder / f"expired-{role}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].touch(mode=0o600)
    paths[1].write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return paths


@pytest.fixture(scope="module")
def tls(cluster):
    return cluster.data / "tls"


@pytest.fixture(scope="module")
def foreign(cluster):
    """The certificates of another installation."""
    folder = cluster.data / "foreign"
    certificates("authority", "--directory", str(folder))
    for role in ("api", "worker"):
        certificates("issue", role, "--directory", str(folder))
    return folder


def context(authority, certificate=None, key=None):
    made = ssl.create_default_context(cafile=authority)
    if certificate:
        made.load_cert_chain(certificate, key)
    return made


def own(folder, role):
    return folder / f"{role}.pem", folder / f"{role}.key"


def authorize(cluster, credentials, certificate=(None, None), service="forecast", target="ForecastleAuthority.Authorize"):
    """A signed call of the authority with a certificate; gives status, code and message."""
    endpoint = cluster.env["AWS_ENDPOINT_URL_KMS"]
    request = AWSRequest("POST", endpoint + "/", data="{}", headers={
        "X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"})
    SigV4Auth(Credentials(credentials["AccessKeyId"], credentials["SecretAccessKey"]), service, REGION).add_auth(request)
    address = urlsplit(endpoint)
    if address.scheme == "https":
        connection = http.client.HTTPSConnection(
            address.hostname, address.port, timeout=60, context=context(cluster.ca_bundle, *certificate))
    else:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", "/", "{}", dict(request.headers.items()))
        answer = connection.getresponse()
        body = json.loads(answer.read() or "{}")
    return answer.status, body.get("__type", "").split("#")[-1], body.get("message", body.get("Message", ""))


def credentials(cluster, name):
    return json.loads((cluster.data / "credentials" / f"{name}.json").read_text())


# Customers


def test_the_command_line_needs_no_more_than_the_env_file(cluster):
    assert cluster.env["AWS_ENDPOINT_URL_KMS"].startswith("https://127.0.0.1:")
    assert "Keys" in cluster.cli("kms", "list-keys")
    assert "Datasets" in cluster.cli("forecast", "list-datasets")


@pytest.mark.parametrize("service", ["kms", "forecast"])
def test_a_client_that_believes_another_authority_sends_nothing(cluster, foreign, service):
    client = boto3.session.Session().client(
        service, region_name=REGION, endpoint_url=cluster.env[f"AWS_ENDPOINT_URL_{service.upper()}"],
        verify=str(foreign / "ca.pem"), aws_access_key_id="a", aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(SSLError):
        client.list_keys() if service == "kms" else client.list_datasets()


def test_our_own_tools_say_what_to_do(cluster, foreign):
    environment = {**os.environ, **cluster.env, "AWS_CA_BUNDLE": str(foreign / "ca.pem")}
    arn = f"arn:aws:forecast:{REGION}:{ACCOUNT}:dataset-import-job/d/j"
    result = subprocess.run([BIN / "forecastle", "job", "stop", arn], env=environment, capture_output=True, text=True)
    assert result.returncode != 0
    assert "none of the authorities that are believed here signed it" in result.stderr
    environment["AWS_CA_BUNDLE"] = "/nowhere.pem"
    result = subprocess.run([BIN / "forecastle", "job", "stop", arn], env=environment, capture_output=True, text=True)
    assert result.returncode != 0 and "/nowhere.pem" in result.stderr


@pytest.mark.parametrize("service", ["kms", "forecast"])
def test_plain_text_is_answered_with_the_way_to_go(cluster, service):
    endpoint = cluster.env[f"AWS_ENDPOINT_URL_{service.upper()}"].replace("https", "http")
    client = boto3.session.Session().client(
        service, region_name=REGION, endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as refused:
        client.list_keys() if service == "kms" else client.list_datasets()
    assert refused.value.response["Error"]["Message"] == "TLS is spoken here: use https://"


def test_only_sound_tls_is_spoken(cluster):
    address = urlsplit(cluster.env["AWS_ENDPOINT_URL_FORECAST"])

    def handshake(minimum, maximum, ciphers=None, protocols=("h2", "http/1.1")):
        made = context(cluster.ca_bundle)
        made.set_alpn_protocols(list(protocols))
        if ciphers:
            made.set_ciphers(ciphers)
        made.minimum_version, made.maximum_version = minimum, maximum
        with socket.create_connection((address.hostname, address.port), 60) as raw:
            with made.wrap_socket(raw, server_hostname="localhost") as connection:
                return connection.version(), connection.selected_alpn_protocol()

    new = ssl.TLSVersion.TLSv1_3
    assert handshake(new, new) == ("TLSv1.3", "h2")
    assert handshake(new, new, protocols=["http/1.1"]) == ("TLSv1.3", "http/1.1")
    old = ssl.TLSVersion.TLSv1_2
    assert handshake(old, old) == ("TLSv1.2", "h2")
    for weak in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"):
        with pytest.raises((ssl.SSLError, OSError)):
            handshake(old, old, weak)


def test_secure_transport_is_true_over_tls_and_only_there(cluster, plain_authority, name):
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}
    inverse = json.loads(json.dumps(policy).replace('"true"', '"false"'))
    for where, right, wrong in [(cluster, policy, inverse), (plain_authority, inverse, policy)]:
        customer = Customer(where, dict.fromkeys(("forecast", "kms", "forecastquery", "cloudtrail")), "customer")
        assert "Keys" in where.client("kms", customer.user(name + "right", right)).list_keys()
        with pytest.raises(ClientError) as refused:
            where.client("kms", customer.user(name + "wrong", wrong)).list_keys()
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


# The service's own processes


def test_authorize_is_for_the_apis_certificate_alone(cluster, tls, foreign):
    api = credentials(cluster, "api")
    status, code, message = authorize(cluster, api, own(tls, "api"))
    assert (status, code) != (403, "AccessDeniedException") and "certificate" not in message, (status, code, message)
    for certificate, shown in [((None, None), "none was shown"), (own(tls, "worker"), "that of spiffe://forecastle/worker"),
                               (own(tls, "authority"), "that of spiffe://forecastle/authority")]:
        status, code, message = authorize(cluster, api, certificate)
        assert code == "AccessDeniedException" and "certificate of spiffe://forecastle/api; " + shown in message
    for certificate in (own(foreign, "api"), expired(tls, "api")):
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            authorize(cluster, api, certificate)


def test_a_stolen_access_key_of_a_worker_is_worth_nothing_without_its_certificate(cluster, tls):
    worker = credentials(cluster, "worker")
    for certificate in ((None, None), own(tls, "api")):
        for target in ("TrentService.ListKeys", "TrentService.GenerateRandom"):
            status, code, message = authorize(cluster, worker, certificate, "kms", target)
            assert code == "AccessDeniedException" and "spiffe://forecastle/worker" in message
    _, _, message = authorize(cluster, worker, own(tls, "worker"), "kms", "TrentService.ListKeys")
    assert "certificate" not in message


def test_the_refusal_is_in_the_trail(cluster):
    authorize(cluster, credentials(cluster, "worker"), (None, None), "kms", "TrentService.ListKeys")
    record, = cluster.sql("authority", """
        SELECT record FROM audit_records WHERE record LIKE '%known by the certificate of%' AND event_name = 'ListKeys'
        ORDER BY position DESC LIMIT 1
    """)
    assert json.loads(record)["errorCode"] == "AccessDenied"


def test_a_customer_needs_no_certificate_and_gains_nothing_by_one(cluster, tls):
    admin = {"AccessKeyId": cluster.env["AWS_ACCESS_KEY_ID"], "SecretAccessKey": cluster.env["AWS_SECRET_ACCESS_KEY"]}
    assert authorize(cluster, admin, (None, None), "kms", "TrentService.ListKeys")[0] == 200
    for certificate in ((None, None), own(tls, "api")):
        assert authorize(cluster, admin, certificate)[1] == "AccessDeniedException"


def test_without_tls_the_signature_alone_counts(plain_authority):
    assert authorize(plain_authority, credentials(plain_authority, "api"))[1] != "AccessDeniedException"
    assert authorize(plain_authority, credentials(plain_authority, "worker"))[1] == "AccessDeniedException"


@contextlib.contextmanager
def another_api(cluster, *flags, verify=True):
    """One more API on the cluster's database, with its client; what it logged comes too.

    `verify=False` where what it shows to its clients is as wrong as what it shows to the authority, and not what a test is about.
    """
    log = cluster.data / "logs" / "another-api.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [BIN / "forecastle", "api", "--config", cluster.data / "forecastle.yaml", "--api-port", "0", *flags],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        def port():
            assert process.poll() is None, log.read_text()
            lines = [line for line in log.read_text().splitlines() if "api serves" in line]
            return int(lines[0].split("port=")[1].split()[0].strip('",')) if lines else None

        endpoint = f"https://127.0.0.1:{wait_for('another API to serve', port)}"
        client = boto3.session.Session().client(
            "forecast", region_name=REGION, endpoint_url=endpoint, verify=verify and cluster.ca_bundle,
            config=Config(retries={"total_max_attempts": 1}), aws_access_key_id=cluster.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=cluster.env["AWS_SECRET_ACCESS_KEY"])
        yield client, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def test_an_api_reaches_the_authority_with_its_certificate(cluster):
    with another_api(cluster) as (client, _):
        assert "Datasets" in client.list_datasets()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
@pytest.mark.parametrize("fault, said", [("foreign", "refused our certificate"), ("expired", "it has expired")])
def test_an_api_whose_certificate_does_not_hold_reaches_no_authority(cluster, tls, foreign, fault, said):
    certificate, key = own(foreign, "api") if fault == "foreign" else expired(tls, "api")
    with another_api(cluster, "--api-tls-certificate-file", certificate, "--api-tls-key-file", key, verify=False) as (client, log):
        with pytest.raises(ClientError) as refused:
            client.list_datasets()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert said in log.read_text() + str(refused.value)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
@pytest.mark.parametrize("role", ["worker", "authority"])
def test_an_api_with_the_certificate_of_another_process_is_not_the_api(cluster, tls, role):
    certificate, key = own(tls, role)
    with another_api(cluster, "--api-tls-certificate-file", certificate, "--api-tls-key-file", key, verify=False) as (client, _):
        with pytest.raises(ClientError) as refused:
            client.list_datasets()
        assert "is known by the certificate of spiffe://forecastle/api" in str(refused.value)


def test_an_api_refuses_an_authority_that_it_does_not_know(cluster, foreign):
    with another_api(cluster, "--tls-ca-file", str(foreign / "ca.pem")) as (client, log):
        with pytest.raises(ClientError) as refused:
            client.list_datasets()
        assert "none of the authorities" in log.read_text() + str(refused.value)


@pytest.mark.parametrize("flags, said", [
    (("api", "--api-tls-key-file="), "api.tls_key_file and api.tls_certificate_file must be set both"),
    (("api", "--api-tls-certificate-file=", "--api-tls-key-file="), "must be set where authority.endpoint is https"),
    (("worker", "--worker-tls-certificate-file=", "--worker-tls-key-file="), "must be set where authority.endpoint is https"),
    (("authority", "--tls-ca-file="), "tls.ca_file must be set where authority.tls_certificate_file is"),
    (("authority", "--authority-tls-certificate-file=/nowhere.pem"), "/nowhere.pem"),
    (("worker", "--kafka-security-protocol", "ssl"), "the embedded broker speaks nothing else"),
    (("worker", "--kafka-security-protocol", "sasl_ssl"), "kafka.sasl_username must be set"),
    (("worker", "--kafka-ca-file", "/x"), "kafka.ca_file is of no use"),
])
def test_settings_that_can_not_be_meant_are_refused(cluster, flags, said):
    result = subprocess.run(
        [BIN / "forecastle", flags[0], "--config", cluster.data / "forecastle.yaml", *flags[1:],
         *(() if flags[0] == "worker" else (f"--{flags[0]}-port", "0"))], capture_output=True, text=True, timeout=120)
    assert result.returncode != 0 and said in result.stdout + result.stderr


# Rotation and expiry


def test_certificates_are_renewed_without_a_restart(cluster, tls, customer, name):
    def serial(service):
        address = urlsplit(cluster.env[f"AWS_ENDPOINT_URL_{service}"])
        with socket.create_connection((address.hostname, address.port), 60) as raw:
            with context(cluster.ca_bundle).wrap_socket(raw, server_hostname="localhost") as connection:
                return connection.getpeercert()["serialNumber"]

    before = serial("FORECAST"), serial("KMS")
    pids = cluster.processes("api") + cluster.processes("authority")
    renewed = certificates("renew", "--all", "--directory", str(tls)).stdout.split()
    assert {Path(path).name for path in renewed} == {"api.pem", "authority.pem", "worker.pem"}
    for service, old in zip(("FORECAST", "KMS"), before):
        wait_for(f"{service} to show the new certificate", lambda: serial(service) != old, seconds=60)
    # And everybody still knows everybody.
    role = customer.role(name)
    dataset = customer.dataset(name, customer.key(role), role)
    job = customer.import_("job", dataset, customer.put(f"{name}/h.csv", monthly_csv(items=1)), role)
    assert customer.wait(job)["Status"] == "ACTIVE"
    assert cluster.processes("api") + cluster.processes("authority") == pids


def test_doctor_reports_certificates(cluster, tls):
    healthy = cluster.tool("doctor", check=False).stdout
    assert "spiffe://forecastle/api, for localhost 127.0.0.1 ::1, until " in healthy
    assert re.search(r"spiffe://forecastle/worker, until \S+, (89|90) days left", healthy)
    assert "the api's certificate and the authority's were taken" in healthy
    old, key = expired(tls, "worker")
    sick = cluster.tool("doctor", "--worker-tls-certificate-file", old, "--worker-tls-key-file", key, check=False)
    assert sick.returncode == 1 and f"the certificate in {old} has expired" in sick.stdout
    wrong = cluster.tool("doctor", "--api-tls-certificate-file", tls / "worker.pem", "--api-tls-key-file", tls / "worker.key",
                         check=False)
    assert wrong.returncode == 1 and "is not for spiffe://forecastle/api" in wrong.stdout


def test_the_command_shows_what_it_made(tmp_path):
    folder = tmp_path / "made"
    assert "has no certificate authority" in certificates("issue", "api", "--directory", str(folder), check=False).stderr
    certificates("authority", "--directory", str(folder))
    certificates("issue", "api", "--directory", str(folder), "--name", "api.internal", "--name", "10.0.0.1", "--days", "30")
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()} == {
        "ca.pem": 0o644, "ca.key": 0o600, "api.pem": 0o644, "api.key": 0o600}
    shown = json.loads(certificates("show", "--directory", str(folder), "--json").stdout)
    assert [row["identity"] for row in shown] == ["–", "spiffe://forecastle/api"]
    assert shown[1]["names"] == "api.internal 10.0.0.1" and shown[1]["daysLeft"] in ("29", "30")
    for wrong in (("issue", "Api"), ("issue", "api", "--name", "a b"), ("issue", "api", "--days", "1000"), ("authority",)):
        assert certificates(*wrong, "--directory", str(folder), check=False).returncode == 1


# PostgreSQL


@pytest.fixture(scope="module")
def postgres(cluster):
    """A server with TLS, on a port; and the folder with its authority."""
    folder = cluster.data / "pg"
    folder.mkdir()
    folder.chmod(0o711)
    tls = folder / "tls"
    certificates("authority", "--directory", str(tls))
    certificates("issue", "postgres", "--directory", str(tls), "--name", "localhost")
    certificates("issue", "worker", "--directory", str(tls))
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(tls / "postgres.key", "postgres", "postgres")
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, "postgres", "postgres")
    subprocess.run([*user, binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], check=True,
                   capture_output=True, cwd="/")
    (data / "pg_hba.conf").write_text(
        "hostssl all worker 127.0.0.1/32 cert\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = open(folder / "log", "wb")
    process = subprocess.Popen(
        [*user, binaries / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", "",
         "-c", "fsync=off", "-c", "ssl=on", "-c", f"ssl_cert_file={tls}/postgres.pem", "-c", f"ssl_key_file={tls}/postgres.key",
         "-c", f"ssl_ca_file={tls}/ca.pem"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
    try:
        def answers():
            assert process.poll() is None, (folder / "log").read_text()
            return subprocess.run(["psql", f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=require", "-c",
                                   "SELECT 1"], capture_output=True).returncode == 0

        wait_for("PostgreSQL with TLS", answers, seconds=60)
        yield process, port, tls
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def migrate(cluster, connection):
    result = cluster.tool("migrate", "up", "--database", "jobs", "--without-roles", "--jobs-postgres-owner", connection,
                          "--postgres-acquire-timeout-ms", "1000", check=False)
    return result.returncode, result.stdout + result.stderr


def test_a_database_is_believed_by_its_certificate_and_name(cluster, postgres, foreign):
    process, port, tls = postgres
    base = f"port={port} user=postgres dbname=postgres sslmode=verify-full"
    good = f"{base} hostaddr=127.0.0.1 host=localhost sslrootcert={tls}/ca.pem"
    assert migrate(cluster, good)[0] == 0
    for connection, said in [
        (good.replace(str(tls), str(foreign)), "the authority in sslrootcert did not sign it"),
        (f"{base} host=127.0.0.1 sslrootcert={tls}/ca.pem", "the server's certificate is for other names than host"),
        (f"{base} host=localhost hostaddr=127.0.0.1 sslrootcert=/nowhere.pem", "sslrootcert names no file"),
    ]:
        code, text = migrate(cluster, connection)
        assert code != 0 and said in text, text
    # The server may want to know us too.
    worker = good.replace("user=postgres", "user=worker")
    subprocess.run(["psql", good, "-c", "CREATE ROLE worker SUPERUSER LOGIN"], check=True, capture_output=True)
    assert migrate(cluster, worker)[0] != 0
    assert migrate(cluster, f"{worker} sslcert={tls}/worker.pem sslkey={tls}/worker.key")[0] == 0
    assert migrate(cluster, f"{worker} sslcert={foreign}/worker.pem sslkey={foreign}/worker.key")[0] != 0
    # Its certificate expires.
    old, key = expired(tls, "postgres", ["localhost"])
    for source, target in ((old, tls / "postgres.pem"), (key, tls / "postgres.key")):
        target.write_bytes(source.read_bytes())
    process.send_signal(signal.SIGHUP)

    def refused():
        code, text = migrate(cluster, good)
        return code != 0 and "the server's certificate has expired" in text

    wait_for("the expired certificate to be refused", refused, seconds=60, every=0.5)


def test_a_database_without_tls_is_refused_where_tls_is_asked_for(cluster, postgres):
    _, port, tls = postgres
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = subprocess.Popen(
            [os.sys.executable, "-c", "import socket,sys\ns=socket.socket(fileno=int(sys.argv[1]))\n"
             "while True:\n c,_=s.accept(); c.recv(8); c.sendall(b'N'); c.recv(8); c.close()", str(listener.fileno())],
            pass_fds=(listener.fileno(),))
        try:
            code, text = migrate(
                cluster, f"host=127.0.0.1 port={listener.getsockname()[1]} user=postgres dbname=postgres "
                f"sslmode=verify-full sslrootcert={tls}/ca.pem")
        finally:
            server.kill()
            server.wait()
    assert code != 0 and "the server speaks no TLS" in text


@pytest.mark.parametrize("mode", ["", "sslmode=prefer", "sslmode=require", "sslmode=verify-ca"])
def test_a_database_on_another_machine_needs_verify_full(cluster, mode):
    code, text = migrate(cluster, f"host=192.0.2.1 user=postgres dbname=postgres {mode}")
    assert code != 0 and "set sslmode=verify-full" in text
