"""Print where Canteen answers and a sign-in for every role, from what the demo city wrote down."""

from __future__ import annotations

import json
import os
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table


def main() -> None:
    """Show `demo.json` of the instance folder and put the address of this start into it."""
    host = os.environ["HOST"]
    address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{os.environ['PORT']}"
    # A narrow terminal may wrap a line; no password is ever cut short.
    console = Console(width=200)
    console.print(f"\nCanteen 老人家食堂  [bold]{address}[/bold]", highlight=False)
    path = Path(os.environ["CANTEEN_INSTANCE"]) / "demo.json"
    if not path.exists():
        return
    demo = json.loads(path.read_text())
    if demo["address"] != address:
        path.write_text(json.dumps(demo | {"address": address}, ensure_ascii=False, indent=1))
    table = Table(box=SIMPLE, pad_edge=False)
    for heading in (
        "身份 Role", "登录名 Login", "密码 Password", "PIN", "页面 Page", "称呼 Name"
    ):
        table.add_column(heading, no_wrap=True)
    for one in demo["sign_ins"]:
        name = f"{one['name_zh']} {one['name_en']}"
        pin = one.get("pin", "")
        table.add_row(one["role"], one["login"], one["password"], pin, one["page"], name)
    console.print(table, highlight=False)
    for one in demo.get("diners", ()):
        text = f"  卡号 Card [bold]{one['card']}[/bold]  {one['name_zh']} · {one['name_en']}"
        console.print(text, highlight=False)
    if codes := demo.get("till_codes"):
        shown = "  ".join(f"[bold]{code[:4]} {code[4:]}[/bold]" for code in codes)
        console.print(
            f"  平板登记码 Till codes {shown}  在 /till 输入一次，再用上面的 PIN 打开 · "
            "type one at /till, then open it with the PIN above", highlight=False,
        )
    console.print()


if __name__ == "__main__":
    main()
