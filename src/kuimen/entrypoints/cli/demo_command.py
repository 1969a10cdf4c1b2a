"""`kuimen demo`: the main job, in front of the user."""

from pathlib import Path

import click


@click.command()
@click.option("--no-serve", is_flag=True, help="Stop before the console, exit code 0.")
@click.option(
    "--json", "as_json", is_flag=True, help="The last line of standard output is the summary as one JSON object."
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="Home of the demonstration; cleared at each run."
)
def demo(*, no_serve: bool, as_json: bool, port: int, home: Path | None) -> None:
    """演示 Make a lender's plain-text database, find, seal, scrub, prove, collect, assess; then open the console."""
    from kuimen.entrypoints.demo.run import run_demo

    run_demo(chosen_home=home, serve=not no_serve, as_json=as_json, port=port)
