"""Where the Chinese fonts are that PDFs are written with, and what to say when there are none."""

from __future__ import annotations

from pathlib import Path

from canteen.errors import Refused
from canteen.words import Text

# Where Debian, Fedora and Arch put the package with the Chinese fonts.
FOLDERS = (
    "/usr/share/fonts/opentype/noto", "/usr/share/fonts/google-noto-sans-cjk-fonts",
    "/usr/share/fonts/google-noto-cjk", "/usr/share/fonts/noto-cjk", "/usr/local/share/fonts",
)  # fmt: skip
FILES = {"": "NotoSansCJK-Regular.ttc", "B": "NotoSansCJK-Bold.ttc"}
SIMPLIFIED = 2  # the place of the Chinese font in the collection; the first is Japanese


class NoChineseFont(Refused):
    """The server has no font that PDFs could be written with."""

    code = "no_chinese_font"
    text = Text(
        "服务器上没有中文字体，暂时不能生成 PDF；请管理员安装 fonts-noto-cjk，或先导出 XLSX",
        "The server has no Chinese font, so no PDF can be made; ask the administrator to install"
        " fonts-noto-cjk, or take the XLSX",
    )


def files() -> dict[str, Path]:
    """The font files by style. Refuses NoChineseFont where the system has none."""
    for folder in map(Path, FOLDERS):
        found = {style: folder / name for style, name in FILES.items()}
        if all(path.is_file() for path in found.values()):
            return found
    raise NoChineseFont()
