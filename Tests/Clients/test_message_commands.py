"""`forecastle seal | open | inspect` as people and scripts call them: options, exit codes, pipes, terminals, signals."""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest
from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.identifiers import AlgorithmSuite
from conftest import ACCOUNT, BIN
from test_encryption_sdk import SDK, kms_keyring, raw_keyring

SDK_ALLOWING = EncryptionSDKClient(commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
CONTENT = bytes(range(256)) * 1200 + b"end"
# Seconds, however busy the machine.
PATIENCE = 300
NO_AWS = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def run(*arguments, stdin=b"", env=None):
    return subprocess.run([BIN / "forecastle", *map(str, arguments)], input=stdin, capture_output=True,
                          env=env or NO_AWS)


def done(*arguments, **options):
    result = run(*arguments, **options)
    assert result.returncode == 0, result.stderr.decode()
    return result


@pytest.fixture
def folder(tmp_path):
    """A folder with two keys, a plaintext and a message of it under the first key."""
    for name in ("key", "other"):
        (tmp_path / name).write_bytes(os.urandom(32))
        (tmp_path / name).chmod(0o600)
    (tmp_path / "plain").write_bytes(CONTENT)
    done("seal", "--raw-key", tmp_path / "key", "--context", "a=b", "--frame-bytes", "4KiB", tmp_path / "plain",
         tmp_path / "sealed")
    return tmp_path


@pytest.fixture(scope="module")
def kms_key(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def kms_env(cluster):
    return {**NO_AWS, **{name: value for name, value in cluster.env.items() if name.startswith("AWS_")}}


# Wrong use


@pytest.mark.parametrize("arguments, words", [
    (["seal", "plain", "out"], "--raw-key FILE or --kms-key ARN"),
    (["open", "sealed", "out"], "--kms-discovery"),
    (["seal", "--raw-key", "key", "--frame-bytes", "0", "plain", "out"], "--frame-bytes takes 1 to 16MiB"),
    (["seal", "--raw-key", "key", "--frame-bytes", "17MiB", "plain", "out"], "--frame-bytes takes 1 to 16MiB"),
    (["seal", "--raw-key", "key", "--frame-bytes", "4k", "plain", "out"], "1MiB"),
    (["seal", "--raw-key", "key", "--frame-bytes", "-1", "plain", "out"], "--frame-bytes"),
    (["seal", "--raw-key", "key", "--context", "a", "plain", "out"], "--context takes name=value"),
    (["seal", "--raw-key", "key", "--context", "a=1", "--context", "a=2", "plain", "out"], "twice"),
    (["seal", "--raw-key", "key", "--context", "aws-crypto-x=1", "plain", "out"], "aws-crypto-"),
    (["seal", "--raw-key", "key", "--suite", "0178", "plain", "out"], "0578"),
    (["seal", "--raw-key", "key", "--cipher", "rot13", "plain", "out"], "openssl"),
    (["seal", "--raw-key", "key", "--cipher", "boringssl", "--require-fips", "plain", "out"], "--cipher openssl"),
    (["seal", "--raw-key", "key", "--threads", "0", "plain", "out"], "--threads takes 1 to 256"),
    (["seal", "--kms-key", f"arn:aws:kms:us-west-2:{ACCOUNT}:alias/x", "plain", "out"], "ARN of a key"),
    (["seal", "--raw-key", "key", "--key-namespace", "aws-kms", "plain", "out"], "--key-namespace"),
    (["seal", "--raw-key", "key", "--key-name", "a", "--key-name", "b", "plain", "out"], "--key-name"),
    (["seal", "--raw-key", "key", "plain"], "output"),
    (["open", "--raw-key", "key", "sealed"], "--verify-only"),
    (["open", "--raw-key", "key", "--verify-only", "sealed", "out"], "--verify-only"),
    (["open", "--raw-key", "key", "--range", "9-1", "sealed", "out"], "--range"),
    (["open", "--raw-key", "key", "--range", "-0", "sealed", "out"], "--range"),
    (["open", "--raw-key", "key", "--range", "0-1", "-", "out"], "--range needs a file"),
    (["open", "--raw-key", "key", "--range", "0-1", "--verify-only", "sealed"], "--verify-only"),
    (["open", "--raw-key", "key", "--unverified-signature", "sealed", "out"], "--range"),
    (["open", "--raw-key", "key", "--require-context", "a", "sealed", "out"], "--require-context takes name=value"),
    (["open", "--raw-key", "key", "--kms-account", ACCOUNT, "sealed", "out"], "--kms-discovery"),
    (["open", "--kms-discovery", "--kms-account", "12", "sealed", "out"], "12 digits"),
    (["open", "--kms-discovery", "--kms-key", f"arn:aws:kms:us-west-2:{ACCOUNT}:key/x", "sealed", "out"],
     "--kms-discovery"),
    (["open", "--raw-key", "key", "--commitment-policy", "none", "sealed", "out"], "require-encrypt-allow-decrypt"),
    (["seal", "--kms-key", f"arn:aws:kms:us-west-2:{ACCOUNT}:key/x", "plain", "out"], "AWS_ACCESS_KEY_ID"),
])
def test_wrong_use_names_the_option_and_touches_nothing(tmp_path, arguments, words):
    (tmp_path / "out").write_bytes(b"before")
    result = subprocess.run([BIN / "forecastle", *arguments, "--force"], cwd=tmp_path, capture_output=True,
                            text=True, env=NO_AWS)
    assert result.returncode == 64, result.stderr
    assert words in " ".join(result.stderr.split())
    assert (tmp_path / "out").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["out"]


# Exit codes


def refusals(folder):
    altered = bytearray((folder / "sealed").read_bytes())
    altered[-20] ^= 1
    (folder / "altered").write_bytes(altered)
    (folder / "cut").write_bytes((folder / "sealed").read_bytes()[:-1])
    (folder / "short").write_bytes(b"123")
    (folder / "folder").mkdir()
    return [
        (65, ["open", "--raw-key", "key", "altered", "out"], "could not be authenticated"),
        (65, ["open", "--raw-key", "key", "--verify-only", "altered"], "could not be authenticated"),
        (65, ["open", "--raw-key", "key", "cut", "out"], "could not be authenticated"),
        (65, ["open", "--raw-key", "key", "plain", "out"], "could not be authenticated"),
        (65, ["open", "--raw-key", "other", "sealed", "out"], "could not be authenticated"),
        (65, ["open", "--raw-key", "key", "--key-name", "x", "sealed", "out"], "could not be authenticated"),
        (65, ["open", "--raw-key", "key", "--require-context", "a=c", "sealed", "out"], "could not be authenticated"),
        (65, ["inspect", "cut"], ""),
        (65, ["inspect", "plain"], ""),
        (66, ["open", "--raw-key", "absent", "sealed", "out"], "--raw-key absent"),
        (66, ["open", "--raw-key", "short", "sealed", "out"], "64 hexadecimal digits"),
        (66, ["open", "--raw-key", "folder", "sealed", "out"], "--raw-key folder"),
        (66, ["open", "--raw-key", "key", "absent", "out"], "absent cannot be read"),
        (66, ["seal", "--raw-key", "key", "folder", "out"], "name a file"),
        (66, ["inspect", "absent"], "absent cannot be read"),
        (73, ["open", "--raw-key", "key", "sealed", "absent/out"], "absent/out"),
        (73, ["open", "--raw-key", "key", "sealed", "plain"], "--force"),
        (73, ["seal", "--raw-key", "key", "plain", "folder"], "folder"),
        (74, ["open", "--raw-key", "key", "sealed", "/dev/full"], "No space left"),
    ]


def test_every_refusal_has_its_exit_code_and_leaves_no_file(folder):
    cases = refusals(folder)
    before = sorted(os.listdir(folder))
    for code, arguments, words in cases:
        result = subprocess.run([BIN / "forecastle", *arguments], cwd=folder, capture_output=True, text=True)
        assert result.returncode == code, (arguments, result.stderr)
        assert words in result.stderr, arguments
        assert sorted(os.listdir(folder)) == before, arguments
    assert (folder / "plain").read_bytes() == CONTENT
    assert os.stat("/dev/full").st_rdev == os.makedev(1, 7), "a device was replaced"


def test_force_replaces_and_nothing_else_does(folder):
    (folder / "out").write_bytes(b"before")
    assert run("open", "--raw-key", folder / "other", "--force", folder / "sealed", folder / "out").returncode == 65
    assert (folder / "out").read_bytes() == b"before"
    done("open", "--raw-key", folder / "key", "--force", folder / "sealed", folder / "out")
    assert (folder / "out").read_bytes() == CONTENT
    done("seal", "--raw-key", folder / "key", "--force", folder / "out", folder / "out")
    done("open", "--raw-key", folder / "key", "--force", folder / "out", folder / "out")
    assert (folder / "out").read_bytes() == CONTENT
    assert (folder / "out").stat().st_mode & 0o777 == 0o600


def test_kms_that_does_not_answer_and_kms_that_refuses(folder, kms_env, kms_key, customer, name):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        silent = {**kms_env, "AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{closed.getsockname()[1]}"}
        result = run("seal", "--kms-key", kms_key, folder / "plain", folder / "out", env=silent)
    assert result.returncode == 69 and b"did not answer" in result.stderr
    nobody = customer.user(f"nobody{name}")
    stranger = {**kms_env, "AWS_ACCESS_KEY_ID": nobody["aws_access_key_id"],
                "AWS_SECRET_ACCESS_KEY": nobody["aws_secret_access_key"]}
    result = run("seal", "--kms-key", kms_key, folder / "plain", folder / "out", env=stranger)
    assert result.returncode == 77 and b"AccessDeniedException: " in result.stderr
    absent = kms_key[:-12] + "0" * 12
    result = run("seal", "--kms-key", absent, folder / "plain", folder / "out", env=kms_env)
    assert result.returncode == 77 and b"NotFoundException: " in result.stderr
    done("seal", "--kms-key", kms_key, folder / "plain", folder / "sealed-kms", env=kms_env)
    result = run("open", "--kms-key", kms_key, folder / "sealed-kms", folder / "out", env=stranger)
    assert result.returncode == 77 and b"AccessDeniedException: " in result.stderr
    assert not (folder / "out").exists()


# Keys and recipients


def test_a_key_file_that_others_can_read_is_warned_of(folder):
    (folder / "hex").write_text((folder / "key").read_bytes().hex() + "\n")
    (folder / "hex").chmod(0o644)
    result = done("open", "--raw-key", folder / "hex", folder / "sealed", "-")
    assert result.stdout == CONTENT
    assert b"chmod 600" in result.stderr
    assert b"Warning" not in done("open", "--raw-key", folder / "key", folder / "sealed", "-").stderr


@pytest.mark.parametrize("suite", ["0478", "0578"])
def test_each_of_several_recipients_opens(folder, suite):
    done("seal", "--raw-key", folder / "key", "--raw-key", folder / "other", "--key-name", "first", "--key-name",
         "second", "--suite", suite, folder / "plain", folder / "both")
    for key, name in (("key", "first"), ("other", "second")):
        done("open", "--raw-key", folder / key, "--key-name", name, "--force", folder / "both", folder / "out")
        assert (folder / "out").read_bytes() == CONTENT
    assert run("open", "--raw-key", folder / "other", "--key-name", "first", folder / "both", "-").returncode == 65
    done("open", "--raw-key", folder / "other", "--raw-key", folder / "key", "--key-name", "x", "--key-name", "first",
         "--force", folder / "both", folder / "out")


def test_recipients_are_in_the_order_of_the_command_line(folder, kms_env, kms_key):
    for order in (["--raw-key", folder / "key", f"--kms-key={kms_key}"],
                  ["--kms-key", kms_key, "--raw-key", folder / "key"]):
        result = done("seal", *order, "--json", folder / "plain", folder / "both", "--force", env=kms_env)
        providers = [key["providerId"] for key in json.loads(result.stdout)["encryptedDataKeys"]]
        assert providers == ["aws-kms" if "kms" in str(option) else "forecastle" for option in order
                             if str(option).startswith("--")]
        assert done("open", "--raw-key", folder / "key", folder / "both", "-").stdout == CONTENT
        assert done("open", "--kms-key", kms_key, folder / "both", "-", env=kms_env).stdout == CONTENT


def test_discovery_asks_with_the_key_that_the_message_names(folder, kms_env, kms_key):
    done("seal", "--kms-key", kms_key, folder / "plain", folder / "kms", env=kms_env)
    for filters in ([], ["--kms-account", ACCOUNT], ["--kms-account", "1" * 12, "--kms-account", ACCOUNT]):
        assert done("open", "--kms-discovery", *filters, folder / "kms", "-", env=kms_env).stdout == CONTENT
    for filters in (["--kms-account", "1" * 12], ["--kms-partition", "aws-cn"]):
        result = run("open", "--kms-discovery", *filters, folder / "kms", "-", env=kms_env)
        assert result.returncode == 65 and result.stdout == b""


# The official SDK


@pytest.mark.parametrize("suite", ["0478", "0578"])
@pytest.mark.parametrize("cipher", ["boringssl", "openssl"])
def test_the_sdk_opens_what_was_sealed(folder, kms, kms_env, kms_key, suite, cipher):
    done("seal", "--kms-key", kms_key, "--raw-key", folder / "key", "--suite", suite, "--cipher", cipher,
         "--context", "purpose=test", folder / "plain", folder / "both", env=kms_env)
    for keyring in (kms_keyring(kms, kms_key), raw_keyring((folder / "key").read_bytes())):
        opened, header = SDK.decrypt(source=(folder / "both").read_bytes(), keyring=keyring)
        assert opened == CONTENT
        assert header.encryption_context["purpose"] == "test"
        assert header.algorithm.algorithm_id == int(suite, 16)


@pytest.mark.parametrize("suite", [
    AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY, AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384])
@pytest.mark.parametrize("cipher", ["boringssl", "openssl"])
def test_what_the_sdk_sealed_is_opened(folder, kms, kms_env, kms_key, suite, cipher):
    for keyring, options in ((kms_keyring(kms, kms_key), ["--kms-key", kms_key]),
                             (raw_keyring((folder / "key").read_bytes()), ["--raw-key", folder / "key"])):
        message, _ = SDK.encrypt(source=CONTENT, keyring=keyring, encryption_context={"a": "b"}, algorithm=suite)
        arguments = ["open", *options, "--cipher", cipher, "--require-context", "a=b"]
        assert done(*arguments, "-", "-", stdin=message, env=kms_env).stdout == CONTENT
        (folder / "message").write_bytes(message)
        assert done(*arguments, folder / "message", "-", env=kms_env).stdout == CONTENT


def test_suites_without_commitment_need_the_policy_of_the_sdks(folder):
    message, _ = SDK_ALLOWING.encrypt(
        source=CONTENT, keyring=raw_keyring((folder / "key").read_bytes()),
        algorithm=AlgorithmSuite.AES_256_GCM_IV12_TAG16_HKDF_SHA256)
    (folder / "old").write_bytes(message)
    for policy in ([], ["--commitment-policy", "require-encrypt-require-decrypt"]):
        result = run("open", "--raw-key", folder / "key", *policy, folder / "old", folder / "out")
        assert result.returncode == 65
        assert b"--commitment-policy require-encrypt-allow-decrypt" in result.stderr
        assert not (folder / "out").exists()
    for name in ("require-encrypt-allow-decrypt", "REQUIRE_ENCRYPT_ALLOW_DECRYPT"):
        result = done("open", "--raw-key", folder / "key", "--commitment-policy", name, folder / "old", "-")
        assert result.stdout == CONTENT
    report = json.loads(run("inspect", "--json", folder / "old").stdout)
    assert report["version"] == 1 and report["suite"] == "0178"


def test_require_fips_starts_with_the_provider_or_not_at_all(folder):
    result = run("seal", "--raw-key", folder / "key", "--require-fips", "--json", folder / "plain", folder / "fips")
    if result.returncode == 0:
        assert json.loads(result.stdout)["cipher"].startswith("openssl")
    else:
        assert result.returncode == 69 and b"FIPS" in result.stderr
        assert not (folder / "fips").exists()


# Files, pipes, ranges


@pytest.mark.parametrize("suite", ["0478", "0578"])
@pytest.mark.parametrize("threads", [[], ["--threads", "1"], ["--threads", "7"]])
def test_pipes_and_files_mix(folder, suite, threads):
    key = ["--raw-key", folder / "key", *threads]
    by_pipe = done("seal", *key, "--suite", suite, "--frame-bytes", "1000", "-", "-", stdin=CONTENT).stdout
    done("seal", *key, "--suite", suite, "-", folder / "file", stdin=CONTENT)
    for message in (by_pipe, (folder / "file").read_bytes()):
        (folder / "message").write_bytes(message)
        assert done("open", *key, "-", "-", stdin=message).stdout == CONTENT
        assert done("open", *key, folder / "message", "-").stdout == CONTENT
        done("open", *key, "--force", "-", folder / "opened", stdin=message)
        assert (folder / "opened").read_bytes() == CONTENT


def test_a_fifo_is_written_and_not_replaced(folder):
    os.mkfifo(folder / "fifo")
    reader = os.open(folder / "fifo", os.O_RDWR)
    (folder / "short").write_bytes(b"hello")
    done("seal", "--raw-key", folder / "key", folder / "short", folder / "fifo")
    message = os.read(reader, 65536)
    os.close(reader)
    assert done("open", "--raw-key", folder / "key", "-", "-", stdin=message).stdout == b"hello"


def test_a_signed_message_releases_nothing_before_its_signature_was_verified(folder):
    key = ["--raw-key", folder / "key"]
    message = bytearray(done("seal", *key, "--suite", "0578", "-", "-", stdin=CONTENT).stdout)
    message[-1] ^= 1
    (folder / "message").write_bytes(message)
    for source in ("-", folder / "message"):
        result = run("open", *key, source, "-", stdin=bytes(message))
        assert result.returncode == 65 and result.stdout == b""


@pytest.mark.parametrize("text, wanted", [
    ("0-0", CONTENT[:1]), ("0-99", CONTENT[:100]), ("4000-9000", CONTENT[4000:9001]), ("307200-", CONTENT[307200:]),
    ("-3", b"end"), ("-1000000", CONTENT), ("307000-999999", CONTENT[307000:]), ("4096-8191", CONTENT[4096:8192]),
])
def test_a_range_is_what_http_means_by_it(folder, text, wanted):
    arguments = ["open", "--raw-key", folder / "key", "--range", text, folder / "sealed"]
    assert done(*arguments, "-").stdout == wanted
    done(*arguments, folder / "part")
    assert (folder / "part").read_bytes() == wanted


def test_a_range_reads_its_own_frames_and_the_final_one(folder):
    message = bytearray((folder / "sealed").read_bytes())
    message[len(message) // 2] ^= 1
    (folder / "altered").write_bytes(message)
    arguments = ["open", "--raw-key", folder / "key", "--range"]
    assert done(*arguments, "0-99", folder / "altered", "-").stdout == CONTENT[:100]
    assert run(*arguments, f"{len(CONTENT) // 2}-", folder / "altered", folder / "out").returncode == 65
    (folder / "cut").write_bytes((folder / "sealed").read_bytes()[:-4128])
    assert run(*arguments, "0-99", folder / "cut", folder / "out").returncode == 65
    result = run(*arguments, f"{len(CONTENT)}-", folder / "sealed", folder / "out")
    assert result.returncode == 64 and str(len(CONTENT)) in result.stderr.decode()
    assert not (folder / "out").exists()


def test_a_range_of_a_signed_message_says_that_the_signature_is_not_looked_at(folder):
    arguments = ["open", "--raw-key", folder / "key", "--range", "5-9", folder / "signed", "-", "--json"]
    done("seal", "--raw-key", folder / "key", "--suite", "0578", folder / "plain", folder / "signed")
    result = run(*arguments)
    assert result.returncode == 64 and b"--unverified-signature" in result.stderr and result.stdout == b""
    result = done(*arguments, "--unverified-signature")
    assert result.stdout == CONTENT[5:10] and json.loads(result.stderr)["signatureVerified"] is False
    assert json.loads(done("open", "--raw-key", folder / "key", "--json", folder / "signed",
                           folder / "out").stdout)["signatureVerified"] is True


def test_verify_only_writes_nothing(folder):
    before = sorted(os.listdir(folder))
    for source in (folder / "sealed", "-"):
        result = done("open", "--raw-key", folder / "key", "--verify-only", source,
                      stdin=(folder / "sealed").read_bytes())
        assert result.stdout == b""
    assert sorted(os.listdir(folder)) == before
    report = json.loads(done("open", "--raw-key", folder / "key", "--verify-only", "--json", folder / "sealed").stdout)
    assert report["bytesOut"] == 0 and report["plaintextBytes"] == len(CONTENT)


def test_required_pairs_are_required(folder):
    key = ["--raw-key", folder / "key"]
    assert done("open", *key, "--require-context", "a=b", folder / "sealed", "-").stdout == CONTENT
    assert done("open", *key, "--context", "a=b", folder / "sealed", "-").stdout == CONTENT
    for pair in ("a=", "a=B", "b=a"):
        result = run("open", *key, "--require-context", pair, folder / "sealed", "-")
        assert result.returncode == 65 and result.stdout == b""


# What is said


def test_json_says_what_was_done(folder):
    key = ["--raw-key", folder / "key"]
    sealed = done("seal", *key, "--context", "a=b", "--frame-bytes", "64KiB", "--json", folder / "plain", folder / "m")
    report = json.loads(sealed.stdout)
    assert sealed.stderr == b""
    size = (folder / "m").stat().st_size
    assert report["operation"] == "seal" and report["bytesIn"] == len(CONTENT) and report["bytesOut"] == size
    assert report["frames"] == 5 and report["frameBytes"] == 65536 and report["seconds"] >= 0
    assert report["suite"] == "0478" and report["encryptionContext"] == {"a": "b"} and report["cipher"] == "boringssl"
    assert [(k["providerId"], k["keyName"]) for k in report["encryptedDataKeys"]] == [("forecastle", "raw-key")]
    for source, stdin in ((folder / "m", b""), ("-", (folder / "m").read_bytes())):
        opened = done("open", *key, "--json", source, "-", stdin=stdin)
        assert opened.stdout == CONTENT
        report = json.loads(opened.stderr)
        assert report["operation"] == "open" and report["suite"] == "0478"
        assert report["bytesOut"] == report["plaintextBytes"] == len(CONTENT)
        # What came by a pipe is not counted.
        assert (report["bytesIn"], report["frames"]) == ((None, None) if source == "-" else (size, 5))


def test_signed_messages_are_counted_to_the_last_byte(folder):
    report = json.loads(done("seal", "--raw-key", folder / "key", "--suite", "0578", "--json", folder / "plain",
                             folder / "m").stdout)
    assert report["bytesOut"] == (folder / "m").stat().st_size
    report = json.loads(done("open", "--raw-key", folder / "key", "--json", folder / "m", folder / "o").stdout)
    assert report["bytesIn"] == (folder / "m").stat().st_size


def test_inspect_shows_everything_that_needs_no_key(folder):
    text = run("inspect", folder / "sealed").stdout.decode()
    for words in ("suite 0478", "a = b", "forecastle raw-key", "frames", "final", "--frames shows all"):
        assert words in text
    report = json.loads(done("inspect", "--json", folder / "sealed").stdout)
    assert report["plaintextBytes"] == len(CONTENT) and report["problems"] == [] and report["signed"] is False
    assert report["frames"] == 76 and len(report["frameTable"]) == 6
    whole = json.loads(done("inspect", "--json", "--frames", folder / "sealed").stdout)["frameTable"]
    assert [frame["number"] for frame in whole] == list(range(1, 77))
    assert sum(frame["plaintextBytes"] for frame in whole) == len(CONTENT)
    last = whole[-1]
    assert last["final"] and last["offset"] + last["bytes"] == (folder / "sealed").stat().st_size
    assert len(done("inspect", "--frames", folder / "sealed").stdout.splitlines()) > 76


def test_inspect_shows_a_signature_and_several_keys(folder):
    done("seal", "--raw-key", folder / "key", "--raw-key", folder / "other", "--suite", "0578", folder / "plain",
         folder / "signed")
    report = json.loads(done("inspect", "--json", folder / "signed").stdout)
    assert report["signed"] is True and report["problems"] == []
    assert report["footerBytes"] > 60 and len(report["encryptedDataKeys"]) == 2
    assert report["plaintextBytes"] == len(CONTENT)
    assert "signature" in done("inspect", folder / "signed").stdout.decode()


def test_inspect_says_what_is_wrong(folder):
    message = bytearray((folder / "sealed").read_bytes())
    header = json.loads(run("inspect", "--json", folder / "sealed").stdout)["headerBytes"]
    message[header + 3] ^= 4
    (folder / "numbered").write_bytes(message)
    result = run("inspect", "--json", folder / "numbered")
    assert result.returncode == 65
    assert "Frame 1 has the number 5." in json.loads(result.stdout)["problems"]
    (folder / "cut").write_bytes(message[:-5])
    assert json.loads(run("inspect", "--json", folder / "cut").stdout)["problems"]


def test_a_message_does_not_steer_the_terminal(folder):
    done("seal", "--raw-key", folder / "key", "--context", "a=\x1b[31mred", "--key-name", "k\x1b]0;x", folder / "plain",
         folder / "coloured")
    assert b"\x1b" not in done("inspect", folder / "coloured").stdout


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_know_options_and_choices(tmp_path, shell):
    script = done("--generate-completion-script", shell).stdout.decode()
    for word in ("raw-key", "commitment-policy", "require-encrypt-allow-decrypt", "openssl", "0578", "verify-only"):
        assert word in script
    if shell == "bash":
        (tmp_path / "script").write_text(script)
        assert subprocess.run(["bash", "-n", tmp_path / "script"], capture_output=True).returncode == 0


# Terminals and signals


class Terminal:
    """A program whose standard error is a terminal of 100 columns."""

    def __init__(self, *arguments, **options):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = subprocess.Popen(
            [BIN / "forecastle", *map(str, arguments)], stderr=slave, env={**NO_AWS, "TERM": "xterm"},
            # A shell that runs the tests in the background has them ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options)
        os.close(slave)
        self.seen = b""

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return None
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return b""
        self.seen += data
        return data

    def wait_for(self, words):
        deadline = time.monotonic() + PATIENCE
        while words not in self.seen:
            assert time.monotonic() < deadline, f"waited for {words}: {self.seen}"
            assert self.read(1) != b"" or words in self.seen, self.seen

    def finish(self):
        code = self.process.wait(timeout=PATIENCE)
        while self.read(5):
            pass
        os.close(self.master)
        return code


def test_the_progress_bar_shows_what_is_known_and_goes_away(folder):
    (folder / "long").write_bytes(CONTENT * 20)
    terminal = Terminal("seal", "--raw-key", folder / "key", folder / "long", "-", stdout=subprocess.PIPE)
    # The message is longer than any pipe, so the pass waits for this test.
    terminal.wait_for(b"%")
    message = terminal.process.stdout.read()
    assert terminal.finish() == 0
    line = terminal.seen.split(b"\r")[1].decode()
    assert line.startswith("sealing  [") and "%  " in line and " of 5.9 MiB" in line
    assert all(len(part) < 100 + len("\x1b[K") for part in terminal.seen.decode().split("\r"))
    assert terminal.seen.endswith(b"\r\x1b[K")
    assert done("open", "--raw-key", folder / "key", "-", "-", stdin=message).stdout == CONTENT * 20


def test_the_progress_of_a_pipe_has_no_percent(folder):
    terminal = Terminal("seal", "--raw-key", folder / "key", "-", folder / "out", stdin=subprocess.PIPE)
    terminal.process.stdin.write(CONTENT)
    terminal.process.stdin.flush()
    terminal.wait_for(b"sealing")
    terminal.process.stdin.close()
    assert terminal.finish() == 0
    assert b"%" not in terminal.seen and terminal.seen.endswith(b"\r\x1b[K")


def test_no_progress_draws_nothing(folder):
    terminal = Terminal("open", "--no-progress", "--raw-key", folder / "key", folder / "sealed", folder / "out")
    assert terminal.finish() == 0
    assert terminal.seen == b""


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_pass_leaves_no_file(folder, number, code):
    before = sorted(os.listdir(folder))
    terminal = Terminal("seal", "--raw-key", folder / "key", "-", folder / "out", stdin=subprocess.PIPE)
    terminal.process.stdin.write(CONTENT)
    terminal.process.stdin.flush()
    # Drawn when the signal is heeded already.
    terminal.wait_for(b"sealing")
    terminal.process.send_signal(number)
    assert terminal.finish() == code
    assert b"Interrupted" in terminal.seen
    assert sorted(os.listdir(folder)) == before
    terminal.process.stdin.close()


def test_a_message_is_not_written_to_a_terminal(folder):
    master, slave = pty.openpty()
    result = subprocess.run([BIN / "forecastle", "seal", "--raw-key", folder / "key", folder / "plain", "-"],
                            stdout=slave, stderr=subprocess.PIPE)
    assert result.returncode == 64 and b"--force" in result.stderr
    os.close(slave)
    os.close(master)


def test_a_reader_that_goes_away_is_an_error(folder):
    (folder / "long").write_bytes(CONTENT * 10)
    process = subprocess.Popen([BIN / "forecastle", "seal", "--raw-key", folder / "key", folder / "long", "-"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=PATIENCE) == 74
    assert b"Broken pipe" in process.stderr.read()
