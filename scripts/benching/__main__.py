"""`scripts/bench NAME [--json]`: run one benchmark and say whether its aims are met."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from scripts.benching import settle, till, whatif

BENCHES = {"till": till, "settle": settle, "what-if": whatif}


def main() -> None:
    """Parse the wish, run the benchmark, show it."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, bench in BENCHES.items():
        one = names.add_parser(name, help=(bench.__doc__ or "").splitlines()[0])
        one.add_argument("--json", action="store_true", help="print one JSON object")
        bench.add_options(one)
    wish = parser.parse_args()
    result = BENCHES[wish.name].run(wish)
    if wish.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        show(result)


def show(result: dict) -> None:
    """The figures and aims as two tables for people."""
    console = Console()
    figures = Table("figure", "value", title=result["name"])
    for name, value in result["figures"].items():
        figures.add_row(name, f"{value:,.3f}" if isinstance(value, float) else str(value))
    aims = Table("aim", "figure", "wanted", "met")
    for aim in result["aims"]:
        aims.add_row(aim["name"], f"{aim['figure']:.3f}", aim["aim"], "yes" if aim["met"] else "NO")
    console.print(figures)
    console.print(aims)


if __name__ == "__main__":
    main()
