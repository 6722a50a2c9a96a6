"""Writes src/text/html_names.gen.ts: the names that HTML has for characters, from Python's copy of the standard's list.

usage: python3 tools/html_names.py
"""
import html.entities
import json
import pathlib

names = html.entities.html5
bare = {name for name in names if not name.endswith(";")}
assert all(names[name] == names[name + ";"] for name in bare)
# a name that may stand without its semicolon has a "!" before it
entries = sorted((("!" if name[:-1] in bare else "") + name[:-1], chars) for name, chars in names.items() if name.endswith(";"))
text = " ".join(f"{name} {''.join(chars)}" for name, chars in entries if not chars.isspace() and chars != "\u200c")
odd = {name: chars for name, chars in entries if chars.isspace() or chars == "\u200c"}
assert len(text.split(" ")) == 2 * (len(entries) - len(odd))
out = pathlib.Path(__file__).parent.parent / "src/text/html_names.gen.ts"
out.write_text(
    "// Written by tools/html_names.py. Do not edit.\n"
    "// deno-fmt-ignore-file\n"
    "/** Names and their characters, by turns; those with `!` may stand without a semicolon. */\n"
    f"export const HTML_NAMES: string = {json.dumps(text)};\n"
    "/** The same, of characters that are white or joined to others. */\n"
    f"export const HTML_WHITE: Readonly<Record<string, string>> = {json.dumps(odd)};\n"
)
