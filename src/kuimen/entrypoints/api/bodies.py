"""What every request body has in common."""

from datetime import UTC, datetime
from typing import Annotated

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints


class Strict(Schema):
    """A body in which an unknown field is an error: a clear number has nowhere to go."""

    model_config = ConfigDict(extra="forbid")


NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL in text."""
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
"""A moment with its offset, in years that every calendar and database can hold."""
StaffNo = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{2,32}$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200, pattern=NO_NUL)]
"""Why, in words without anybody's number; it is recorded."""
