/**
 * Recipes that were damaged at random: each is right, or is refused with a place. A damaged one is never a crash.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Rng } from "../../mod.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { checkRecipe } from "../../src/cli/recipe/check.ts";
import { SMALL } from "./support.ts";

const COUNT = 1000;
const WORDS = [
  "null",
  "true",
  "[]",
  "{}",
  "-1",
  "1e999",
  ".nan",
  "~",
  "!!binary x",
  "&a",
  "*a",
  "<<",
  "__proto__",
  "kind",
  "'",
  '"',
  "|",
  ">",
  "%YAML 9",
  "\t",
  "\u0000",
  "\ud800",
  "é",
  "---",
  "...",
  "? ",
  ": ",
  "- ",
  "#",
  "{",
  "}",
  "[",
  "]",
  ",",
];

function mutate(text: string, rng: Rng): string {
  const draw = (n: number): number => Math.floor(rng.uniformArray(1, 0, 1)[0] * n);
  const lines = text.split("\n"), at = draw(lines.length), word = WORDS[draw(WORDS.length)], i = draw(text.length);
  switch (draw(8)) {
    case 0:
      return text.slice(0, i) + word + text.slice(i);
    case 1:
      return text.slice(0, i) + text.slice(i + 1 + draw(5));
    case 2:
      return lines.toSpliced(at, 1).join("\n");
    case 3:
      return lines.toSpliced(at, 0, lines[draw(lines.length)]).join("\n");
    case 4:
      return lines.with(at, lines[at].replace(/:.*/, `: ${word}`)).join("\n");
    case 5:
      return lines.with(at, lines[at].replace(/[a-z]+/i, (name) => name.slice(0, -1))).join("\n");
    case 6:
      return lines.with(at, " ".repeat(draw(5)) + lines[at].trimStart()).join("\n");
    default:
      return lines.with(at, lines[at].replace(/\d+/, () => String(draw(1e6) - 5e5))).join("\n");
  }
}

Deno.test(`${COUNT} damaged recipes are right, or are refused with a line and a column`, () => {
  let right = 0, refused = 0;
  for (let seed = 0; seed < COUNT; seed++) {
    const rng = new Rng(seed);
    let text = SMALL;
    for (let n = 0; n <= seed % 3; n++) text = mutate(text, rng);
    try {
      checkRecipe("r.yaml", text);
      right++;
    } catch (error) {
      assert(error instanceof ConfigError, `seed ${seed}: ${error}\n${text}`);
      const lines = text.split("\n").length;
      for (const problem of error.message.split("\n")) {
        const [, line, column] = /^r\.yaml:(\d+):(\d+): ./.exec(problem) ?? [];
        assert(Number(line) >= 1 && Number(line) <= lines && Number(column) >= 1, `seed ${seed}: ${problem}\n${text}`);
      }
      refused++;
    }
  }
  assert(right > 50 && refused > 300, `${right} were right, ${refused} refused`); // the damage is neither nothing nor all
});
