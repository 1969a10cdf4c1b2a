"""The process that reads pictures: started when first needed, bounded in time, replaced when it dies."""

import multiprocessing
from importlib.util import find_spec
from multiprocessing.pool import Pool
from typing import Any

from kuimen.kernels.elements import rule_of
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.images.errors import ImagesExtraError, PictureFormError, PictureRefusedError
from kuimen.sources.logscan import TextFindings
from kuimen.sources.relations import TextHit
from kuimen.sources.stored import READ_ERRORS, StoredFile

MAX_PICTURE_BYTES = 64 << 20
SECONDS_A_PICTURE = 120
SECONDS_A_DOCUMENT = 3600
_RENDER_SCALE = 200 / 72


class PictureReader:
    """Sends pictures to a reading process; a picture that takes too long costs that process, not the scan."""

    def __init__(self) -> None:
        """Prepare; use `start`."""
        self._pool: Pool | None = None

    @classmethod
    def start(cls) -> "PictureReader":
        """Return a reader; its process starts with the first picture.

        Raises:
            ImagesExtraError: the extra `images` is not installed.
        """
        if find_spec("rapidocr") is None or find_spec("onnxruntime") is None:
            raise ImagesExtraError("images: reading pictures needs an extra; run pip install 'kuimen[images]'")
        return cls()

    def find(self, stored: StoredFile, *, tables: RecognitionTables) -> TextFindings:
        """Count the elements in a picture; frames of a picture with several count as its lines.

        Raises:
            RelationUnreadableError: it cannot be opened, is broken or takes too long.
        """
        try:
            with stored.opened() as stream:
                data = stream.read(MAX_PICTURE_BYTES + 1)
        except READ_ERRORS:
            raise RelationUnreadableError("image: cannot be read to its end") from None
        if len(data) > MAX_PICTURE_BYTES:
            raise RelationUnreadableError("image: larger than 64 MiB")
        frames, hits = self._counted("find_task", data, tables)
        return TextFindings(lines=frames, hits=hits)

    def find_page(self, page: Any, *, tables: RecognitionTables) -> tuple[TextHit, ...]:  # noqa: ANN401 - of pypdfium2
        """Count the elements in a rendered PDF page.

        Raises:
            RelationUnreadableError: it takes too long.
        """
        return self._counted("find_page_task", page.render(scale=_RENDER_SCALE).to_numpy(), tables)[1]

    def _counted(self, task: str, content: object, tables: RecognitionTables) -> tuple[int, tuple[TextHit, ...]]:
        counted: dict[str, tuple[str, list[int]]]
        try:
            frames, counted = self.run(task, content, tables.name)
        except (PictureFormError, PictureRefusedError) as error:
            raise RelationUnreadableError(str(error)) from None
        return int(frames), tuple(
            TextHit(
                element=name,
                category=str(rule_of(name).category),
                likelihood=likelihood,
                count=len(places),
                first_lines=tuple(sorted(set(places))[:5]),
            )
            for name, (likelihood, places) in sorted(counted.items())
        )

    def run(self, task: str, *arguments: object, seconds: int = SECONDS_A_PICTURE) -> Any:  # noqa: ANN401 - by task
        """Run one task of `kuimen.sources.images.tasks` in the reading process.

        Raises:
            PictureRefusedError: it took longer than `seconds`, or the process died.
            PictureFormError, StillReadableError: as the task raises them.
        """
        if self._pool is None:
            self._pool = multiprocessing.get_context("spawn").Pool(1)
        waiting = self._pool.apply_async(_call, (task, arguments))
        try:
            return waiting.get(timeout=seconds)
        except multiprocessing.TimeoutError:
            self.close()
            raise PictureRefusedError(
                f"image: reading took longer than {seconds} s or brought its process down"
            ) from None

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool.join()
            self._pool = None


def _call(task: str, arguments: tuple[object, ...]) -> object:
    from kuimen.sources.images import tasks  # noqa: PLC0415 - only the reading process loads the models

    return getattr(tasks, task)(*arguments)
