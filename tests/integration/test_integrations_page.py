"""The examples of docs/integrations.md run as they stand, in processes of their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"
DJANGO = """
import django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
def create_table(model):
    from django.db import connection
    with connection.schema_editor() as editor:
        editor.create_model(model)
"""


def example(name: str) -> str:
    found = re.search(rf"<!-- test: {name} -->\n```python\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("sqlalchemy", "", "assert len(rows) == 3, rows"),
        ("django", DJANGO, "assert Customer.objects.get(mobile='19990009999').pk == found.pk"),
    ],
)
def test_an_example_runs_and_shows_no_value(name: str, before: str, after: str) -> None:
    text = "\n".join([before, example(name), "assert dialled == '19990000001'", after])
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "******\n"
