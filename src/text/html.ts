/**
 * Characters that HTML writes as names or numbers.
 *
 * @module
 */
import { lazy } from "../base/lazy.ts";
import { HTML_NAMES } from "./html_names.gen.ts";

/** Characters by name, with the semicolon; those that may do without, without it, too. */
const table = lazy((): ReadonlyMap<string, string> => {
  const map = new Map<string, string>();
  const add = (name: string, chars: string): void => {
    if (!name.startsWith("!")) return void map.set(`${name};`, chars);
    map.set(name.slice(1), chars).set(`${name.slice(1)};`, chars);
  };
  let code = 0;
  for (const line of HTML_NAMES.split("\n")) {
    const [place, ...names] = line.split(" "), [step, ...more] = place.split("+");
    code += step === "" ? 1 : Number(step);
    const chars = String.fromCodePoint(code, ...more.map((digits) => parseInt(digits, 16)));
    for (const name of names) add(name, chars);
  }
  return map;
});

/**
 * A text in which `&lt;`, `&#60;`, `&#x3c;` and the like stand for the characters that they name, as HTML's standard reads
 * them, also where a semicolon is missing; those that name nothing stay.
 *
 * @see https://html.spec.whatwg.org/multipage/parsing.html#character-reference-state
 */
export function unescapeHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu, (whole, inside: string) => {
    if (inside.startsWith("#")) return ofNumber(inside);
    const names = table(), exact = names.get(inside);
    if (exact !== undefined) return exact;
    for (let end = inside.length - 1; end > 1; end--) { // the longest name that it begins with
      const chars = names.get(inside.slice(0, end));
      if (chars !== undefined) return chars + inside.slice(end);
    }
    return whole;
  });
}

/** The character with a number, written as `#60` or `#x3c`. */
function ofNumber(written: string): string {
  const digits = written.replace(/;$/, "").slice(1);
  const code = /^x/i.test(digits) ? parseInt(digits.slice(1), 16) : parseInt(digits, 10);
  if (code === 0 || code >= 0xd800 && code <= 0xdfff || code > 0x10ffff) return "\ufffd";
  if (code === 0x0d) return "\r";
  if (code >= 0x80 && code <= 0x9f) return new TextDecoder("windows-1252").decode(Uint8Array.of(code)); // as browsers do
  const noCharacter = code <= 0x08 || code === 0x0b || code >= 0x0e && code <= 0x1f || code === 0x7f ||
    code >= 0xfdd0 && code <= 0xfdef || (code & 0xfffe) === 0xfffe;
  return noCharacter ? "" : String.fromCodePoint(code);
}
