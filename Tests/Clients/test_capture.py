"""A recording of loopback while a data set is imported, trained on, forecast and exported shows nothing of it and no secret.

Every hop goes over TCP: the embedded cluster's own PostgreSQL is reached by a Unix socket, which no recording of an interface sees, so
that this cluster has one with TLS on a port. The embedded broker is librdkafka's mock cluster and knows no TLS, and the dials are
plain HTTP: what is recorded there is held against the same list. docs/tls.md, docs/threat-model.md."""
import base64
import contextlib
import csv
import io
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import urllib.request
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from capture import (
    PlainText, Recording, Search, base64_forms, descendants, gzipped, missing_right, sockets, tls_records)
from conftest import ACCOUNT, BIN, REGION, ROOT, SERVICES, Cluster, Customer, trust_policy, wait_for

pytestmark = pytest.mark.skipif(missing_right() is not None, reason=str(missing_right()))

TLS_HOPS = ("clients → API", "clients → authority", "API → authority", "worker → authority", "→ PostgreSQL")
PLAIN_HOPS = ("→ broker", "→ dials")
HANDSHAKE, APPLICATION_DATA = 0x16, 0x17
# What libpq sends before TLS: its length and the code of SSLRequest; the server answers S for yes.
SSL_REQUEST = struct.pack(">II", 8, 80877103)
ITEMS, MONTHS = 6, 48


# A PostgreSQL with TLS


class DatabaseServer:
    """On a port, with TLS alone and a password a role, which it wants as it is: so that it crosses the wire."""

    ROLES = ("forecastle_jobs", "forecastle_authority", "forecastle_authority_server")

    def __init__(self, folder):
        self.folder, tls = folder, folder / "tls"
        folder.mkdir(parents=True)
        folder.chmod(0o711)
        for command in (["authority"], ["issue", "postgres", "--name", "localhost"]):
            run("admin", "certificates", *command, "--directory", tls)
        binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        data = folder / "data"
        data.mkdir(mode=0o700)
        for path in (data, tls / "postgres.key"):
            shutil.chown(path, "postgres", "postgres")
        self.passwords = {name: uuid.uuid4().hex for name in (*self.ROLES, "postgres")}
        for name, password in self.passwords.items():
            self.file(f"passwords/{name}", password)
        secret = self.file("passwords/initial", self.passwords["postgres"])
        shutil.chown(secret, "postgres", "postgres")
        secret.parent.chmod(0o711)
        subprocess.run([*user, binaries / "initdb", "-D", data, "-U", "postgres", "-A", "password", "--pwfile", secret, "--no-sync"],
                       check=True, capture_output=True, cwd="/")
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 password\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.file("pgpass", "".join(f"*:{self.port}:*:{name}:{password}\n" for name, password in self.passwords.items()))
        log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [*user, binaries / "postgres", "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-k", "",
             "-c", "ssl=on", "-c", f"ssl_cert_file={tls}/postgres.pem", "-c", f"ssl_key_file={tls}/postgres.key"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")

    def file(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def connection(self, role, database):
        return (f"host=localhost hostaddr=127.0.0.1 port={self.port} user={role} dbname={database} sslmode=verify-full "
                f"sslrootcert={self.folder}/tls/ca.pem passfile={self.folder}/pgpass")

    def prepare(self):
        """Databases, roles and tables."""
        administrator = self.connection("postgres", "postgres")

        def answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            return subprocess.run(["psql", administrator, "-c", "SELECT 1"], capture_output=True).returncode == 0

        wait_for("PostgreSQL with TLS", answers, seconds=60, every=0.05)
        settings = ["--migrations-directory", ROOT / "migrations", "--jobs-postgres-owner", self.jobs,
                    "--authority-postgres-owner", self.connection("forecastle_authority", "forecastle_authority")]
        run("migrate", "roles", "--passwords", self.folder / "passwords", "--postgres-administrator", administrator, *settings)
        run("migrate", "up", *settings)

    @property
    def jobs(self):
        # One role for API and workers: a flag of `up` reaches both.
        return self.connection("forecastle_jobs", "forecastle_jobs")

    @property
    def authority(self):
        return self.connection("forecastle_authority_server", "forecastle_authority")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)


def run(*arguments):
    result = subprocess.run([BIN / "forecastle", *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


# A customer whose data are like nobody else's


class DistinctCustomer(Customer):
    """Makes its roles by IAM, so that they cross the wire too; each of its values is unlike anything by chance."""

    def __init__(self, cluster, clients):
        super().__init__(cluster, clients, "harbour-" + uuid.uuid4().hex)
        self.iam, self.sts = clients["iam"], clients["sts"]
        mark, chance = uuid.uuid4().hex, random.SystemRandom()
        self.items = [f"kettle-{mark}-{i}" for i in range(ITEMS)]
        self.store = f"quay-{mark}"
        self.numbers, rows = [], []
        for item in self.items:
            for month in range(MONTHS):
                number = f"{chance.randrange(10_000, 99_999)}.{chance.randrange(10_000, 99_999)}"
                self.numbers.append(number)
                rows.append(f"{item},{2017 + month // 12}-{month % 12 + 1:02d}-01 00:00:00,{number},{self.store}")
        self.rows = rows

    def role(self, name):
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust_policy()))
        self.iam.put_role_policy(RoleName=name, PolicyName="bucket", PolicyDocument=json.dumps(self.s3_policy()))
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def whole_way(self, after_each):
        """Import, predictor, forecast, query and export; gives what came out as texts."""
        f, name = self.forecast, "capture"
        role = self.role(name)
        self.key_arn = self.key(role)
        path = self.put(f"{name}/history.csv", "\n".join(self.rows) + "\n")
        dataset = f.create_dataset(
            DatasetName=name, Domain="CUSTOM", DatasetType="TARGET_TIME_SERIES", DataFrequency="M",
            Schema={"Attributes": [
                {"AttributeName": "item_id", "AttributeType": "string"},
                {"AttributeName": "timestamp", "AttributeType": "timestamp"},
                {"AttributeName": "target_value", "AttributeType": "float"},
                {"AttributeName": "store", "AttributeType": "string"}]},
            EncryptionConfig={"KMSKeyArn": self.key_arn, "RoleArn": role})["DatasetArn"]
        group = f.create_dataset_group(DatasetGroupName=name, Domain="CUSTOM", DatasetArns=[dataset])["DatasetGroupArn"]
        self.ended(self.import_("first", dataset, path, role), after_each)
        predictor = f.create_auto_predictor(
            PredictorName=name, ForecastHorizon=3, ForecastFrequency="M", ForecastDimensions=["store"],
            DataConfig={"DatasetGroupArn": group},
            EncryptionConfig={"KMSKeyArn": self.key_arn, "RoleArn": role})["PredictorArn"]
        self.ended(predictor, after_each)
        forecast = f.create_forecast(ForecastName=name, PredictorArn=predictor)["ForecastArn"]
        self.ended(forecast, after_each)
        predictions = self.query.query_forecast(
            ForecastArn=forecast, Filters={"item_id": self.items[0], "store": self.store})["Forecast"]["Predictions"]
        metrics = json.dumps(f.get_accuracy_metrics(PredictorArn=predictor), default=str)
        self.ended(f.create_forecast_export_job(
            ForecastExportJobName=name, ForecastArn=forecast,
            Destination={"S3Config": {"Path": f"s3://{self.bucket}/out", "RoleArn": role}})["ForecastExportJobArn"], after_each)
        exported = [row for file in sorted((self.cluster.buckets / self.bucket / "out").glob("*.csv"))
                    for row in csv.DictReader(io.StringIO(file.read_text()))]
        assert {row["item_id"] for row in exported} == set(self.items)
        self.results = {repr(point["Value"]) for points in predictions.values() for point in points}
        self.results |= {row[column] for row in exported for column in ("p10", "p50", "p90")}
        self.results |= set(re.findall(r"\d+\.\d{6,}", metrics))
        # Decimals of five figures are no proof: they would be met by chance.
        self.results = {text for text in self.results if len(text) >= 9}
        assert len(self.results) >= 3 * ITEMS
        self.path = path

    def ended(self, arn, after_each):
        ended = self.wait(arn)
        assert ended["Status"] == "ACTIVE", ended.get("Message")
        after_each()

    def secrets(self):
        """What is the customer's alone, by what it is."""
        found = {"the import's path": self.path}
        for item in self.items:
            found[f"item {item}"] = item
        found["attribute's value"] = self.store
        for number in (*self.numbers, *sorted(self.results)):
            found[f"number {number}"] = number
            for order in "<>":
                found[f"number {number} in binary, {order}"] = struct.pack(f"{order}d", float(number))
        for row in self.rows:
            found[f"row {row}"] = row
        return found


# What is secret of the cluster


def called_for(clients):
    """Secrets that the authority hands out while everything is recorded, asked for by an ordinary client."""
    kms, sts, iam = clients["kms"], clients["sts"], clients["iam"]
    iam.create_user(UserName="capture")
    made = iam.create_access_key(UserName="capture")["AccessKey"]["SecretAccessKey"]
    session = sts.get_session_token()["Credentials"]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    again = kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"], KeyId=key)["Plaintext"]
    assert again == data_key["Plaintext"]
    said = uuid.uuid4().hex
    assert kms.encrypt(KeyId=key, Plaintext=said)["CiphertextBlob"]
    return {
        "a data key that a client asked for": again, "a text that a client had encrypted": said,
        "a new access key's secret": made, "a session's secret": session["SecretAccessKey"],
        "a session's token": session["SessionToken"]}


def data_keys(cluster, kms, key):
    """The plaintext of every data key in the artifact store that is under this key, as the customer may have it."""
    found = {}
    for path in sorted(p for p in (cluster.data / "artifacts").rglob("*") if p.is_file()):
        context, sealed = header(path.read_bytes())
        found[f"data key of {context['forecastle:kind']} {path.parent}"] = kms.decrypt(
            CiphertextBlob=sealed, KeyId=key, EncryptionContext=context)["Plaintext"]
    # A chunk and a manifest each of import, predictor and forecast; the export is plain, as its customer named no key.
    assert len(found) >= 6
    return found


def header(message):
    """Encryption context and first sealed data key of a message of version 2 (AWS Encryption SDK)."""
    assert message[:3] == b"\x02\x04\x78"
    stream = io.BytesIO(message[35:])

    def counted():
        return stream.read(int.from_bytes(stream.read(2), "big"))

    pairs, context = io.BytesIO(counted()), {}
    for _ in range(int.from_bytes(pairs.read(2), "big")):
        name, value = (pairs.read(int.from_bytes(pairs.read(2), "big")).decode() for _ in range(2))
        context[name] = value
    assert int.from_bytes(stream.read(2), "big") == 1
    counted(), counted()
    return context, counted()


def kept(cluster):
    """What the cluster's own files hold: credentials, signing keys, root key, vault, private keys."""
    found = {}
    for path in (cluster.data / "credentials").iterdir():
        if path.suffix == ".json":
            found[f"secret of {path.name}"] = json.loads(path.read_text())["SecretAccessKey"]
    private = [cluster.data / "root.key", *(cluster.data / "credentials").glob("*.key"), *(cluster.data / "tls").glob("*.key"),
               *(p for p in (cluster.data / "vault").rglob("*") if p.is_file() and p.stat().st_size == 32)]
    for path in private:
        content = path.read_bytes()
        if not content.startswith(b"-----BEGIN"):
            assert len(content) == 32, path
            found[f"content of {path.name}"] = content
            continue
        lines = [line for line in content.splitlines() if b"-----" not in line]
        found.update({f"line {number} of {path.name}": line for number, line in enumerate(lines) if len(line) == 64})
        raw = base64.b64decode(b"".join(lines), validate=True)
        # Of a PKCS #8 key of a curve: the number alone, wherever it would be put.
        place = raw.index(b"\x04\x20") + 2
        found[f"bytes of {path.name}"], found[f"private number of {path.name}"] = raw, raw[place:place + 32]
    return found


# The recording


class Hops:
    """Which hop a port belongs to, and which process a connection."""

    def __init__(self):
        self.servers, self.callers = {}, {}

    def serve(self, hop, *ports):
        self.servers.update(dict.fromkeys(ports, hop))

    def note_callers(self, cluster):
        """Connections that processes have to the authority now: they stay open for some seconds behind a call."""
        authority = [port for port, hop in self.servers.items() if hop == "authority"]
        for role, name in (("api", "API"), ("worker", "worker")):
            for pid in cluster.processes(role):
                for local, remote, _ in sockets(pid):
                    if remote in authority:
                        self.callers[local] = name

    def of(self, stream):
        """Its hop, and whether it goes to the server."""
        goes = stream.target in self.servers
        server, client = (stream.target, stream.source) if goes else (stream.source, stream.target)
        name = self.servers[server]
        if name == "authority":
            return f"{self.callers.get(client, 'clients')} → authority", goes
        return {"API": "clients → API"}.get(name, f"→ {name}"), goes


class Recorded:
    def __init__(self, hops, streams, secrets, listening, ports):
        self.hops, self.secrets, self.listening, self.ports = hops, secrets, listening, ports
        self.streams = {}
        for stream in streams:
            hop, goes = hops.of(stream)
            self.streams.setdefault(hop, []).append((stream, goes, stream.data()))


@pytest.fixture(scope="module")
def recorded(request):
    server = DatabaseServer(Path(f"/var/tmp/forecastle-{os.getuid()}/capture-pg.{os.getpid()}"))
    recording = cluster = None
    try:
        recording, hops = Recording(server.port), Hops()
        hops.serve("PostgreSQL", server.port)
        server.prepare()
        cluster = Cluster("capture", "--workers", "1", "--authority-quota-percent", "0", f"--jobs-postgres={server.jobs}",
                          f"--authority-postgres={server.authority}")
        start_recorded(cluster, recording, hops)
        clients = {service: cluster.client(service) for service in SERVICES}
        customer = DistinctCustomer(cluster, clients)
        (cluster.buckets / customer.bucket).mkdir()
        customer.whole_way(lambda: hops.note_callers(cluster))
        secrets = {**called_for(clients), **data_keys(cluster, clients["kms"], customer.key_arn), **kept(cluster),
                   **customer.secrets(), **{f"password of {name}": text for name, text in server.passwords.items()}}
        for address in cluster.env["FORECASTLE_DIALS"].split(","):
            for page in ("readyz", "metrics"):
                assert urllib.request.urlopen(f"{address.split('=')[1]}/{page}", timeout=60).read()
        listening = {port for pid in descendants(cluster.process.pid) for port, _, listens in sockets(pid) if listens}
        recording_streams = recording.stop()
        ports, recording = set(recording.ports), None
        yield Recorded(hops, recording_streams, secrets, listening, ports)
    finally:
        if recording:
            recording.stop()
        if cluster:
            cluster.stop()
        server.stop()
        if not os.environ.get("FORECASTLE_KEEP"):
            shutil.rmtree(server.folder, ignore_errors=True)


def start_recorded(cluster, recording, hops):
    """Starts it, with each port watched before anybody calls it: `up` writes them down before it starts the processes."""
    def port_of(address):
        return int(address.rpartition(":")[2])

    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(cluster.start)

        def written(name):
            def look():
                if started.done():
                    started.result()
                with contextlib.suppress(OSError):
                    return (cluster.data / name).read_text().strip()

            return wait_for(name, look, every=0.005)

        authority, api = map(int, written("ports").split())
        hops.serve("authority", authority)
        hops.serve("API", api)
        hops.serve("dials", *(int(line.split()[1]) for line in written("dials.ports").splitlines()))
        recording.watch(*hops.servers)
        hops.serve("broker", *map(port_of, written("broker.address").split(",")))
        recording.watch(*hops.servers)
        started.result()
    assert urlsplit(cluster.env["AWS_ENDPOINT_URL_KMS"]).port == authority
    assert urlsplit(cluster.env["AWS_ENDPOINT_URL_FORECAST"]).port == api


def test_every_port_of_the_cluster_was_recorded(recorded):
    assert recorded.listening and recorded.listening <= recorded.ports
    # PostgreSQL's is a server of its own; all others belong to the cluster.
    assert len(recorded.ports - recorded.listening) == 1


@pytest.mark.parametrize("hop", [*TLS_HOPS, *PLAIN_HOPS])
def test_the_recording_is_real(recorded, hop):
    streams = recorded.streams[hop]
    assert all(stream.whole for stream, _, _ in streams), "a connection whose beginning was missed"
    for goes in (True, False):
        ways = [(stream, data) for stream, way, data in streams if way == goes]
        assert sum(len(data) for _, data in ways) >= 500
        assert sum(stream.packets for stream, _ in ways) >= 10


@pytest.mark.parametrize("hop", TLS_HOPS)
def test_every_byte_of_a_hop_is_in_a_tls_record(recorded, hop):
    seen = {True: 0, False: 0}
    for _, goes, data in recorded.streams[hop]:
        if hop == "→ PostgreSQL" and data:
            start = SSL_REQUEST if goes else b"S"
            assert data.startswith(start), data[:16]
            data = data[len(start):]
        records = tls_records(data)
        # A connection that was only tried, or is refused, has none.
        if records:
            assert records[HANDSHAKE] >= 1
        seen[goes] += records[APPLICATION_DATA]
    assert seen[True] >= 10 and seen[False] >= 10


@pytest.mark.parametrize("hop", [*TLS_HOPS, *PLAIN_HOPS])
def test_no_data_and_no_secret_is_in_it(recorded, hop):
    kinds = [" ".join(name.split(" ")[:2]) for name in recorded.secrets]
    for kind in ("item kettle", "attribute's value", "number", "row kettle", "secret of", "a session's", "data key", "password of",
                 "content of", "a new", "private number", "bytes of", "line 0"):
        assert any(name.startswith(kind) for name in kinds), kind
    search = Search(recorded.secrets)
    for _, _, data in recorded.streams[hop]:
        assert search(data) == set()


def test_messages_hold_ids_and_nothing_else(recorded):
    """The one hop that is plain by nature and not for people to look at: what a message says, field by field."""
    told = defaultdict(set)
    for _, _, data in recorded.streams["→ broker"]:
        for text in re.findall(rb'\{"[a-z][^{}]*\}', data):
            for field, value in json.loads(text).items():
                told[field].add(value)
    one_id = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    known = {
        "job": one_id, "kind": r"[a-zA-Z-]+", "announcement": r"[a-zA-Z-]+", "account": r"\d{12}",
        "key": rf"arn:aws:kms:{REGION}:\d{{12}}:key/{one_id}"}
    assert set(told) <= set(known), told
    assert all(re.fullmatch(known[field], value) for field, values in told.items() for value in values), told
    # A doorbell of each job that there was.
    assert {"import", "train", "forecast", "forecast-export"} <= told["kind"]


# And it would be found


def in_each_form(raw):
    """A secret as somebody might send it, by the name of the form."""
    yield "raw", raw
    for before, _ in enumerate(base64_forms(bytes(12))):
        yield f"base64, {before} bytes in", base64.b64encode(bytes(before) + raw + b"\0")
    yield "base64 for URLs", base64.urlsafe_b64encode(raw)
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "gzip", gzipped(b"{" + raw + b"}")


def test_the_same_search_finds_them_in_plain_text():
    """Each kind in each form, in requests of plain HTTP that cross packets anywhere."""
    secrets = {"item": "kettle-" + uuid.uuid4().hex, "number": "73190.48261", "binary number": struct.pack("<d", 73190.48261),
               "secret key": base64.b64encode(os.urandom(30)), "data key": os.urandom(32), "token": os.urandom(200),
               "row": "kettle,2020-01-01 00:00:00,73190.48261"}
    search = Search(secrets)
    for name, secret in secrets.items():
        raw = secret if isinstance(secret, bytes) else secret.encode()
        sent = dict(in_each_form(raw))
        assert len(sent) == 8
        arrived = exchange_plain(sent.values())
        assert len(arrived) == len(sent)
        for (form, _), data in zip(sent.items(), arrived):
            assert name in search(data), (name, form)
            with pytest.raises(PlainText):
                tls_records(data)
    assert search(exchange_plain([os.urandom(100_000)])[0]) == set()


def exchange_plain(bodies):
    """Sends each body by HTTP in pieces of seven bytes to a listener of ours; the streams that were recorded of them."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = listener.getsockname()
        recording = Recording(address[1])
        for body in bodies:
            with socket.create_connection(address) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                served, _ = listener.accept()
                with served:
                    request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                    step = 7 if len(request) < 10_000 else 7_000
                    reader = threading.Thread(target=read_to_the_end, args=(served, len(request)))
                    reader.start()
                    for place in range(0, len(request), step):
                        client.sendall(request[place:place + step])
                    reader.join()
        return [stream.data() for stream in recording.stop() if stream.target == address[1]]


def read_to_the_end(connection, count):
    while count > 0:
        count -= len(connection.recv(65536))


def test_a_cluster_without_tls_shows_what_is_asked_of_it(plain_authority):
    address = urlsplit(plain_authority.env["AWS_ENDPOINT_URL_KMS"])
    recording = Recording(address.port)
    secrets = called_for({service: plain_authority.client(service) for service in ("kms", "sts", "iam")})
    streams = recording.stop()
    found = set().union(*(Search(secrets)(stream.data()) for stream in streams))
    # Each of them: what the other cluster's recording did not show.
    assert found == set(secrets)
    with pytest.raises(PlainText):
        for stream in streams:
            tls_records(stream.data())
    # A signed request proves that its sender knows the secret, and does not send it.
    own = {name: secret for name, secret in kept(plain_authority).items() if name.startswith(("secret of", "content of"))}
    search = Search(own)
    assert own and not any(search(stream.data()) for stream in streams)
