"""The kernels built in other ways than set-up builds them: without GFNI but as if with it, and with a wrong S-box."""

import importlib.util
import shutil
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

import kuimen.kernels.native
from kuimen.kernels.ciphers import Sealer, Suite
from kuimen.kernels.ciphers.flat_columns import flatten
from kuimen.kernels.ciphers.native_rows import open_natively, seal_natively
from kuimen.kernels.ciphers.paths import WITHOUT_COMPILER, forced_path
from kuimen.kernels.ciphers.sealed import prefix_bytes
from kuimen.kernels.ciphers.work import Work

SOURCES = Path(kuimen.kernels.native.__file__).parent
COMPILER = shutil.which("gcc") or shutil.which("cc")
HEADER = Path(sysconfig.get_path("include")) / "Python.h"
AAD = bytes(range(32))
USABLE = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split()) >= {"aes", "avx2", "pclmulqdq"}

pytestmark = [
    pytest.mark.skipif(COMPILER is None or not HEADER.is_file(), reason="no C compiler or no Python.h here"),
    pytest.mark.fault,
]


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The extension with the instructions of GFNI written out and the S-box of the AES-NI path turned by a bit."""
    folder = tmp_path_factory.mktemp("native")
    built = folder / "_native.abi3.so"
    assert COMPILER is not None
    command = [COMPILER, "-shared", "-fPIC", "-O0", "-std=c11", "-pthread", "-DPy_LIMITED_API=0x030b0000"]
    command += ["-DKUIMEN_EMULATE_GFNI", "-DKUIMEN_SPOIL_AESNI", f"-I{HEADER.parent}", "-o", str(built)]
    subprocess.run([*command, *sorted(map(str, SOURCES.glob("*.c")))], check=True)
    spec = importlib.util.spec_from_file_location("kuimen.kernels.native._native", built)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_path_with_a_wrong_answer_says_so_and_is_not_used(spoiled: ModuleType) -> None:
    states = dict(spoiled.cipher_paths())
    assert states["aesni"] == ("failed its known answers" if USABLE else "not on this processor")
    assert states["portable"] == "ready"
    with pytest.raises(ValueError, match="path: not ready"):
        seal_natively(spoiled, "aesni", flatten(pa.array(["x"])), work(Suite.SM4_GCM))


def work(suite: Suite, keys: list[bytes] | None = None) -> Work:
    return Work(
        suite=suite,
        key=bytes(range(suite.key_bytes)),
        prefix=prefix_bytes(suite, 3),
        aad=AAD,
        row_aad=None,
        row_keys=flatten(pa.array(keys)) if keys else None,
    )


@pytest.mark.parametrize("suite", list(Suite))
@pytest.mark.parametrize("keyed", ["one key", "key per row"])
def test_gfni_gives_the_bytes_of_the_path_without_a_compiler(spoiled: ModuleType, suite: Suite, keyed: str) -> None:
    state = dict(spoiled.cipher_paths())["gfni"]
    assert state == ("ready" if USABLE else "not on this processor")
    if state != "ready":
        return
    values = pa.array([bytes([size % 251]) * (size % 300) for size in range(400)])
    keys = [bytes([row % 256]) * suite.key_bytes for row in range(400)] if keyed == "key per row" else None
    task = work(suite, keys)
    sealer = Sealer.for_key(task.key, suite, key_id=3)
    with forced_path(WITHOUT_COMPILER):
        assert sealer.open_column(seal_natively(spoiled, "gfni", flatten(values), task), AAD, None, keys).equals(values)
        elsewhere = sealer.seal_column(values, AAD, None, keys)
    opened = open_natively(spoiled, "gfni", flatten(elsewhere), task)
    assert opened.array.equals(values)
    assert not opened.failed
