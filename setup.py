"""The one part of the build that pyproject.toml cannot say: the native kernels, where there is a C compiler.

The extension is optional. Without a compiler, or on a system it does not know, the package installs all the same and
works on numpy and `cryptography`; `kuimen check` says which of them it is.
"""

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("src/kuimen/kernels/native")
# The stable ABI of Python 3.11: one build serves every later version.
LIMITED_API = "0x030b0000"

setup(
    ext_modules=[
        Extension(
            "kuimen.kernels.native._native",
            sources=[str(path) for path in sorted(NATIVE.glob("*.c"))],
            depends=[str(path) for path in sorted(NATIVE.glob("*.h"))],
            define_macros=[("Py_LIMITED_API", LIMITED_API)],
            extra_compile_args=["-std=c11", "-O3", "-g0", "-fvisibility=hidden", "-pthread", "-Wall", "-Wextra"],
            extra_link_args=["-pthread"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
