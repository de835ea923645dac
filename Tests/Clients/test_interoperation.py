"""Messages of `forecastle` and of the official Python SDK, each opened by the other, over suites, frames, sizes, contexts and keys."""
import os
import subprocess

import pytest
from aws_cryptographic_material_providers.mpl.models import CreateMultiKeyringInput
from aws_encryption_sdk.identifiers import AlgorithmSuite
from conftest import BIN
from test_encryption_sdk import MATERIALS, SDK, raw_keyring

SUITES = {
    "0478": AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    "0578": AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
}
MIB = 1 << 20
FRAMES = [1, 4096, 65536, MIB]
# The SDK writes frames of multiples of 128 bytes only; it reads any.
SDK_FRAMES = [128, 4096, 65536, MIB, 0]
CONTEXTS = {
    "empty": {},
    # Near the SDK's bound on a header, with names and values of more than one byte a character.
    "full": {f"name-{number:03}-é": "wert-ß" * 20 for number in range(60)},
}


def sizes(frame):
    several = 50 if frame <= 128 else 3 * frame + 7
    return sorted({size for size in (0, 1, frame - 1, frame, frame + 1, several) if size >= 0})


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two wrapping keys, as files and as keyrings under different names."""
    folder = tmp_path_factory.mktemp("keys")
    made = {}
    for name in ("first", "second"):
        made[name] = os.urandom(32)
        (folder / name).write_bytes(made[name])
        (folder / name).chmod(0o600)
    return folder, made


def keyring(keys, *names):
    _, made = keys
    rings = [raw_keyring(made[name], key_name=name) for name in names]
    if len(rings) == 1:
        return rings[0]
    return MATERIALS.create_multi_keyring(CreateMultiKeyringInput(generator=rings[0], child_keyrings=rings[1:]))


def options(keys, *names):
    folder, _ = keys
    given = []
    for name in names:
        given += ["--raw-key", folder / name, "--key-name", name]
    return given


def forecastle(*arguments):
    result = subprocess.run([BIN / "forecastle", *map(str, arguments)], capture_output=True)
    assert result.returncode == 0, (arguments, result.stderr)


def seals(keys, folder, plaintext, suite, frame, context, names):
    """Sealed by `forecastle`, opened by the SDK with each of the keys alone."""
    (folder / "plain").write_bytes(plaintext)
    pairs = [argument for name, value in context.items() for argument in ("--context", f"{name}={value}")]
    forecastle("seal", *options(keys, *names), "--suite", suite, "--frame-bytes", frame, *pairs, "--force",
               folder / "plain", folder / "sealed")
    message = (folder / "sealed").read_bytes()
    for name in names:
        opened, header = SDK.decrypt(source=message, keyring=keyring(keys, name))
        assert opened == plaintext, (suite, frame, len(plaintext), name)
        assert header.algorithm.algorithm_id == int(suite, 16)
        assert header.frame_length == frame
        assert len(header.encrypted_data_keys) == len(names)
        bound = {name: value for name, value in header.encryption_context.items() if not name.startswith("aws-crypto-")}
        assert bound == context


def opens(keys, folder, plaintext, suite, frame, context, names):
    """Sealed by the SDK, opened by `forecastle` with each of the keys alone."""
    message, _ = SDK.encrypt(source=plaintext, keyring=keyring(keys, *names), encryption_context=context,
                             frame_length=frame, algorithm=SUITES[suite])
    (folder / "message").write_bytes(message)
    pairs = [argument for name, value in context.items() for argument in ("--require-context", f"{name}={value}")]
    for name in names:
        forecastle("open", *options(keys, name), *pairs, "--force", folder / "message", folder / "opened")
        assert (folder / "opened").read_bytes() == plaintext, (suite, frame, len(plaintext), name)


@pytest.mark.parametrize("names", [("first",), ("first", "second")], ids=["one-key", "two-keys"])
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("suite", SUITES)
def test_the_sdk_opens_every_size(keys, tmp_path, suite, frame, context, names):
    for size in sizes(frame):
        seals(keys, tmp_path, os.urandom(size), suite, frame, CONTEXTS[context], names)


@pytest.mark.parametrize("names", [("first",), ("first", "second")], ids=["one-key", "two-keys"])
@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("frame", SDK_FRAMES)
@pytest.mark.parametrize("suite", SUITES)
def test_every_size_of_the_sdk_is_opened(keys, tmp_path, suite, frame, context, names):
    for size in sizes(frame) if frame else (0, 1, 4096, 65537, 3 * MIB):
        opens(keys, tmp_path, os.urandom(size), suite, frame, CONTEXTS[context], names)


@pytest.mark.parametrize("frame", [4096, 65536, MIB])
@pytest.mark.parametrize("suite", SUITES)
def test_a_hundred_mebibytes_go_both_ways(keys, tmp_path, suite, frame):
    plaintext = os.urandom(MIB) * 100
    seals(keys, tmp_path, plaintext, suite, frame, {"size": "large"}, ("first",))
    opens(keys, tmp_path, plaintext, suite, frame, {"size": "large"}, ("first",))
