"""Writes src/text/html_names.gen.ts: the names that HTML has for characters, from Python's copy of the standard's list.

usage: python3 tools/html_names.py
"""
import html.entities
import pathlib

names = html.entities.html5
bare = {name for name in names if not name.endswith(";")}
assert all(names[name] == names[name + ";"] for name in bare)
by_chars = {}
for name, chars in sorted(names.items()):
    if name.endswith(";"):
        # a name that may stand without its semicolon has a "!" before it
        by_chars.setdefault(tuple(map(ord, chars)), []).append(("!" if name[:-1] in bare else "") + name[:-1])
lines, last = [], 0
for (first, *more), found in sorted(by_chars.items()):
    step, last = first - last, first
    place = "" if step == 1 and not more else str(step) + "".join(f"+{code:x}" for code in more)
    lines.append(" ".join([place, *found]))
text = "\n".join(lines)
assert "`" not in text and "\\" not in text and "${" not in text
out = pathlib.Path(__file__).parent.parent / "src/text/html_names.gen.ts"
out.write_text(
    "// Written by tools/html_names.py. Do not edit.\n"
    "// deno-fmt-ignore-file\n"
    "/**\n"
    " * Names of characters, those of one on a line, in order. In front of them is how far its code lies behind that of the line above,\n"
    " * if that is not 1, and with `+` the codes that follow it, in hexadecimal digits. Names with `!` may stand without a semicolon.\n"
    " */\n"
    f"export const HTML_NAMES: string = `{text}`;\n"
)
