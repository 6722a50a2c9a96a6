/**
 * What becomes of a text before it is cut into words: fastai's rules. What they take away, such as capitals, they say with
 * tokens of their own, so that nothing is lost.
 *
 * @module
 */
import { unescapeHtml } from "./html.ts";

/** Tokens with a meaning: unknown, padding, a text's beginning and end, a field, and what the rules say. */
export const SPECIAL = {
  unk: "xxunk",
  pad: "xxpad",
  bos: "xxbos",
  eos: "xxeos",
  fld: "xxfld",
  rep: "xxrep",
  wrep: "xxwrep",
  up: "xxup",
  maj: "xxmaj",
} as const;

/** White space of Unicode, and four control characters that count as such. */
export const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
/** Letters and digits of Unicode. */
const WORD = "\\p{L}\\p{N}_";

const ONE_CHARACTER = new RegExp(`([^${SPACE}])(\\1{2,})`, "gu");
const ONE_WORD = new RegExp(
  `(?:[${SPACE}]|^)([${WORD}]+)[${SPACE}]+((?:\\1[${SPACE}]+)+)\\1([${SPACE}]|[^${WORD}]|$)`,
  "gu",
);
const ALL_CAPS = new RegExp(`([${SPACE}]|^)([A-Z][^a-z${SPACE}]*)(?=[${SPACE}]|$)`, "gu");
const CAPITAL = new RegExp(`([${SPACE}]|^)([A-Z][^A-Z${SPACE}]*)(?=[${SPACE}]|$)`, "gu");
const OUTER_SPACE = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "gu");
const SPACES = new RegExp(`[${SPACE}]+`, "u");

/** The words between white space. */
export function atSpaces(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== "");
}

const lengthOf = (text: string): number => [...text].length;

/** What was seen in documents from the web, and what it stands for. */
const MESSY: readonly (readonly [found: string, is: string])[] = [
  ["#39;", "'"],
  ["amp;", "&"],
  ["#146;", "'"],
  ["nbsp;", " "],
  ["#36;", "$"],
  ["\\n", "\n"],
  ["quot;", "'"],
  ["<br />", "\n"],
  ['\\"', '"'],
  ["<unk>", SPECIAL.unk],
  [" @.@ ", "."],
  [" @-@ ", "-"],
  ["...", " …"],
];

/** A word with a token before that says what was taken from it; one letter needs none. */
function lowered(token: string): (whole: string, space: string, word: string) => string {
  return (_, space, word) => `${space}${lengthOf(word) > 1 ? `${token} ` : ""}${word.toLowerCase()}`;
}

/** The name of a rule, fastai's in camel case. */
export type TextRule =
  | "fixHtml"
  | "replaceRep"
  | "replaceWrep"
  | "specAddSpaces"
  | "rmUselessSpaces"
  | "replaceAllCaps"
  | "replaceMaj"
  | "lowercase";

const RULE_FUNCTIONS: Readonly<Record<TextRule, (text: string) => string>> = {
  /** Remnants of HTML, such as `&lt;` and `<br />`, become what they stand for. */
  fixHtml: (t: string): string => unescapeHtml(MESSY.reduce((out, [found, is]) => out.replaceAll(found, () => is), t)),
  /** `cccc` becomes ` xxrep 4 c `. */
  replaceRep: (t: string): string =>
    t.replace(
      ONE_CHARACTER,
      (_, c: string, more: string) => ` ${SPECIAL.rep} ${lengthOf(more) / lengthOf(c) + 1} ${c} `,
    ),
  /** `word word word` becomes ` xxwrep 3 word `. */
  replaceWrep: (t: string): string =>
    t.replace(
      ONE_WORD,
      (_, word: string, more: string, end: string) => ` ${SPECIAL.wrep} ${atSpaces(more).length + 2} ${word} ${end}`,
    ),
  /** `/`, `#` and `\` get spaces around them. */
  specAddSpaces: (t: string): string => t.replace(/[/#\\]/g, " $& "),
  /** Several spaces become one. */
  rmUselessSpaces: (t: string): string => t.replace(/ {2,}/g, " "),
  /** `WORD` becomes `xxup word`. */
  replaceAllCaps: (t: string): string => t.replace(ALL_CAPS, lowered(SPECIAL.up)),
  /** `Word` becomes `xxmaj word`. */
  replaceMaj: (t: string): string => t.replace(CAPITAL, lowered(SPECIAL.maj)),
  /** Lower case, and `xxbos` before. */
  lowercase: (t: string): string => `${SPECIAL.bos} ${t.toLowerCase().replace(OUTER_SPACE, "")}`,
};

/** fastai's rules in their order. */
export const TEXT_RULES: readonly TextRule[] = Object.keys(RULE_FUNCTIONS) as TextRule[];

/** What rules make of a text, one after the other. */
export function applyRules(text: string, rules: readonly TextRule[] = TEXT_RULES): string {
  return rules.reduce((t, name) => RULE_FUNCTIONS[name](t), text);
}

/** Tokens without those of the rules, which are carried out again: capitals, repetitions. */
export function undoRules(tokens: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i], next = tokens[i + 1];
    if (token === SPECIAL.maj || token === SPECIAL.up) {
      if (next === undefined) break;
      const [first = "", ...rest] = next;
      out.push(token === SPECIAL.up ? next.toUpperCase() : first.toUpperCase() + rest.join("").toLowerCase());
      i++;
    } else if (token === SPECIAL.rep || token === SPECIAL.wrep) {
      const times = Number(next), what = tokens[i + 2];
      if (!Number.isInteger(times) || times < 1 || times > 1000 || what === undefined) continue; // a model wrote it
      out.push(...(token === SPECIAL.rep ? [what.repeat(times)] : new Array<string>(times).fill(what)));
      i += 2;
    } else out.push(token);
  }
  return out;
}
