"""A real S3 server for tests: OpenStack Swift with s3api, as plain processes on loopback.

It verifies SigV4 and the hash of every body, unlike the servers that are good for shapes only. Its packages are installed into
an environment of their own where they are missing. As a program it serves until its input ends or it is told to stop:

    python s3_server.py --data FOLDER [--port PORT] BUCKET…

and prints one line of JSON, `{"endpoint": …, "region": …, "access_key": …, "secret_key": …, "bucket": …}`, when it answers.
deploy/cluster runs it in a container: with a certificate, an access key from a file, and a folder that it finds again.
"""
import argparse
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pwd
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

REGION = "us-east-1"
ACCESS_KEY = "test:tester"
SECRET_KEY = "testing"
# Of the same account, without a right to anything.
STRANGER_KEY = "test:stranger"
STRANGER_SECRET = "strange"

# Swift reads /etc/swift/swift.conf before it has read its arguments; this points it at a folder of ours.
LAUNCHER = """
import importlib, os, sys
import swift.common.utils as utils
utils.SWIFT_CONF_FILE = os.path.join(sys.argv[1], "swift.conf")
module = sys.argv[2]
sys.argv = [module] + sys.argv[3:]
sys.exit(importlib.import_module(module).main())
"""


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class NotInstallable(Exception):
    pass


def python_with_swift():
    """The interpreter of an environment that has Swift: this one, or one made for it in the user's cache."""
    def has_swift(python):
        return subprocess.run([python, "-c", "import swift.proxy.server"], capture_output=True).returncode == 0

    if has_swift(sys.executable):
        return sys.executable
    folder = Path(f"/var/tmp/forecastle-{os.getuid()}/swift-venv")
    python = str(folder / "bin" / "python")
    if not Path(python).exists() or not has_swift(python):
        for command in ([sys.executable, "-m", "venv", str(folder)],
                        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "swift>=2.38,<3", "pyeclib"]):
            made = subprocess.run(command, capture_output=True, text=True)
            if made.returncode != 0:
                raise NotInstallable(f"OpenStack Swift can't be installed: {made.stderr.strip()[-200:]}")
    return python


class S3Server:
    """Starts at once; `stop()` ends it. `endpoint`, `access_key` and `secret_key` say how to reach it.

    With `tls`, the paths of (certificate, key, authorities), it speaks TLS and nothing else. A folder that was used before has its
    objects still."""

    region = REGION

    def __init__(self, data, port=None, tls=None, access_key=ACCESS_KEY, secret_key=SECRET_KEY):
        # Swift's processes work in the root folder.
        self.data = Path(data).absolute()
        self.access_key, self.secret_key = access_key, secret_key
        self.tls = tls and [str(Path(path).absolute()) for path in tls]
        self.python = python_with_swift()
        self.processes = []
        self.data.mkdir(parents=True, exist_ok=True)
        ports = self.data / "ports.json"
        is_new = not ports.exists()
        account, container, objects, proxy = free_ports(4) if is_new else json.loads(ports.read_text())
        self.port = port or proxy
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        user = pwd.getpwuid(os.getuid()).pw_name
        common = (f"bind_ip = 127.0.0.1\nswift_dir = {self.data}\nuser = {user}\nworkers = 0\n"
                  f"log_level = WARNING\nlog_address = {self.data}/no-syslog\n")
        if is_new:
            self.write("swift.conf", f"""
                [swift-hash]
                swift_hash_path_suffix = {os.urandom(8).hex()}
                [storage-policy:0]
                name = only
                default = yes
                """)
        for name, port in (("account", account), ("container", container), ("object", objects)):
            devices = self.data / "devices"
            (devices / "d1").mkdir(parents=True, exist_ok=True)
            self.write(f"{name}.conf", f"""
                [DEFAULT]
                {common.replace(chr(10), chr(10) + ' ' * 16)}
                bind_port = {port}
                devices = {devices}
                mount_check = false
                fallocate_reserve = 0
                [pipeline:main]
                pipeline = {name}-server
                [app:{name}-server]
                use = egg:swift#{name}
                """)
            ring = self.data / f"{name}.builder"
            if is_new:
                # Of a first start that did not come to its end.
                ring.unlink(missing_ok=True)
            for arguments in is_new * (["create", "4", "1", "0"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
                self.launch("swift.cli.ringbuilder", str(ring), *arguments).wait(timeout=60)
        ports.write_text(json.dumps([account, container, objects, proxy]))
        self.write("proxy.conf", f"""
            [DEFAULT]
            {common.replace(chr(10), chr(10) + ' ' * 12)}
            bind_port = {self.port}
            {f"cert_file = {self.tls[0]}" if tls else ""}
            {f"key_file = {self.tls[1]}" if tls else ""}
            [pipeline:main]
            pipeline = catch_errors listing_formats s3api tempauth bulk slo dlo symlink versioned_writes proxy-server
            [app:proxy-server]
            use = egg:swift#proxy
            account_autocreate = true
            allow_account_management = true
            [filter:catch_errors]
            use = egg:swift#catch_errors
            [filter:listing_formats]
            use = egg:swift#listing_formats
            [filter:s3api]
            use = egg:swift#s3api
            location = {REGION}
            auth_pipeline_check = false
            allow_no_owner = true
            [filter:tempauth]
            use = egg:swift#tempauth
            user_{access_key.replace(":", "_")} = {secret_key} .admin
            user_test_stranger = {STRANGER_SECRET}
            [filter:bulk]
            use = egg:swift#bulk
            [filter:slo]
            use = egg:swift#slo
            [filter:dlo]
            use = egg:swift#dlo
            [filter:symlink]
            use = egg:swift#symlink
            [filter:versioned_writes]
            use = egg:swift#versioned_writes
            allow_versioned_writes = true
            """)
        try:
            for module, name in (("swift.account.server", "account"), ("swift.container.server", "container"),
                                 ("swift.obj.server", "object"), ("swift.proxy.server", "proxy")):
                self.processes.append(self.launch(module, str(self.data / f"{name}.conf")))
            self.wait()
        except BaseException:
            self.stop()
            raise

    def write(self, name, text):
        lines = [line.strip() for line in text.splitlines()]
        (self.data / name).touch(mode=0o600)
        (self.data / name).write_text("\n".join(line for line in lines if line) + "\n")

    def ask(self, method, path, headers=()):
        """Status of what the server answers to a request that no SDK makes."""
        place = ("127.0.0.1", self.port)
        connection = (http.client.HTTPSConnection(*place, timeout=5, context=ssl.create_default_context(cafile=self.tls[2]))
                      if self.tls else http.client.HTTPConnection(*place, timeout=5))
        with contextlib.closing(connection):
            connection.request(method, path, headers=dict(headers))
            return connection.getresponse().status

    def make_bucket(self, name):
        """Signed by hand, so that a server takes no SDK; a bucket that is there stays as it is."""
        def mac(key, text):
            return hmac.new(key, text.encode(), hashlib.sha256)

        time_stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        empty = hashlib.sha256(b"").hexdigest()
        headers = {"host": f"127.0.0.1:{self.port}", "x-amz-content-sha256": empty, "x-amz-date": time_stamp}
        request = "\n".join(["PUT", f"/{name}", "", *(f"{key}:{value}" for key, value in headers.items()), "",
                             ";".join(headers), empty])
        scope = [time_stamp[:8], REGION, "s3", "aws4_request"]
        text = "\n".join(["AWS4-HMAC-SHA256", time_stamp, "/".join(scope), hashlib.sha256(request.encode()).hexdigest()])
        key = ("AWS4" + self.secret_key).encode()
        for part in scope:
            key = mac(key, part).digest()
        status = self.ask("PUT", f"/{name}", headers | {"Content-Length": "0", "Authorization": (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{'/'.join(scope)}, SignedHeaders={';'.join(headers)}, "
            f"Signature={mac(key, text).hexdigest()}")})
        # BucketAlreadyOwnedByYou.
        assert status in (200, 409), f"the S3 server answers {status} when it is to make the bucket {name}"

    def launch(self, module, *arguments):
        with open(self.data / "server.log", "ab") as log:
            return subprocess.Popen([self.python, "-c", LAUNCHER, str(self.data), module, *arguments],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self):
        deadline = time.monotonic() + 60
        while True:
            for process in self.processes:
                if process.poll() is not None:
                    self.fail("a process ended")
            with contextlib.suppress(OSError):
                # An unsigned request needs every part but the object server, whatever the answer.
                if self.ask("GET", "/") < 500:
                    return
            if time.monotonic() > deadline:
                self.fail("no answer within 60 s")
            time.sleep(0.1)

    def fail(self, what):
        log = (self.data / "server.log").read_text(errors="replace")[-3000:]
        self.stop()
        raise RuntimeError(f"the S3 server: {what}\n{log}")

    def stop(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait(timeout=60)
        self.processes = []

    def client(self):
        import boto3
        from botocore.config import Config
        return boto3.session.Session().client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, verify=self.tls and self.tls[2],
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required",
                          response_checksum_validation="when_required"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--tls", nargs=3, metavar=("CERTIFICATE", "KEY", "AUTHORITIES"))
    parser.add_argument("--credentials", help="JSON with AccessKeyId, ACCOUNT:USER, and SecretAccessKey")
    parser.add_argument("--ready", help="serve whatever becomes of the input, and write this file when it answers")
    parser.add_argument("buckets", nargs="+")
    options = parser.parse_args()
    access = {}
    if options.credentials:
        read = json.loads(Path(options.credentials).read_text())
        access = {"access_key": read["AccessKeyId"], "secret_key": read["SecretAccessKey"]}

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    server = S3Server(options.data, options.port, options.tls, **access)
    try:
        for bucket in options.buckets:
            server.make_bucket(bucket)
        if options.ready:
            Path(options.ready).touch()
            # As one they stand and fall.
            os.wait()
            server.fail("a process ended")
        print(json.dumps({"endpoint": server.endpoint, "region": REGION, "access_key": server.access_key,
                          "secret_key": server.secret_key, "bucket": options.buckets[0]}), flush=True)
        while sys.stdin.buffer.read(1):
            pass
    finally:
        server.stop()


if __name__ == "__main__":
    main()
