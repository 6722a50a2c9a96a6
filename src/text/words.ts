/**
 * Words of English and languages like it: a text is cut at spaces, marks are cut off its words, contractions and compounds
 * are taken apart. White space beyond one space is a word, too, so that paragraphs are not lost.
 *
 * @module
 */
import { SPACE } from "./rules.ts";

const LETTER = "\\p{L}\\p{M}";
const QUOTE = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧";
const MARK = "…,:;!?¿؟¡()\\[\\]{}<>_#*&。？！，、；：～·।،۔؛٪";
const SYMBOL = "\\p{Sc}\\p{So}";

const PREFIX = new RegExp(`^(?:\\.\\.+|\\+(?![0-9])|[§%=—–${MARK}${QUOTE}${SYMBOL}])`, "u");
const UNIT = "km²?|km³|m²?|m³|dm|cm|mm|nm|ha|kg|mg|g|lbs?|oz|mph|ft|kmh?|kb|mb|gb|tb|%";
const SUFFIX = new RegExp(
  [
    `\\.\\.+|['’][sS]|—|–|[${MARK}${QUOTE}${SYMBOL}]`,
    "(?<=[0-9])\\+",
    "(?<=°[FfCcKk])\\.",
    `(?<=[0-9])(?:${UNIT})`,
    `(?<=[0-9\\p{Ll}%²\\-+\\u3040-\\u30ff\\u4e00-\\u9fff\\uac00-\\ud7af…,:;!?)\\]}${QUOTE}])\\.`,
    "(?<=\\p{Lu}\\p{Lu})\\.",
  ].map((part) => `(?:${part})$`).join("|"),
  "u",
);
const INFIX = new RegExp(
  [
    "\\.\\.+|…|\\p{So}",
    "(?<=[0-9])[+\\-*^](?=[0-9\\-])",
    `(?<=[\\p{Ll}${QUOTE}])\\.(?=[\\p{Lu}${QUOTE}])`,
    `(?<=[${LETTER}]),(?=[${LETTER}])`,
    `(?<=[${LETTER}0-9])(?:---?|[-–—~])(?=[${LETTER}])`,
    `(?<=[${LETTER}0-9])[:<>=/](?=[${LETTER}])`,
  ].join("|"),
  "gu",
);
const URL_LIKE =
  /^(?:mailto:\S+|(?:[a-z][a-z0-9+.-]*:\/\/|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}|(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io|info|co\.uk|de|fr|it|nl|eu)(?:\/\S*)?)$/iu;

/** Verbs that `n't` follows. */
const VERBS =
  /^(?:ai|are|ca|could|dare|did|does|do|had|has|have|is|may|might|must|need|ought|sha|should|was|were|wo|would)$/i;
/** Words with a point, or other marks, that belong to them. */
const WHOLE = new RegExp(
  "^(?:\\p{L}\\.|\\p{L}\\.\\p{L}\\.|a\\.m\\.|p\\.m\\.|e\\.g\\.|i\\.e\\.|o['’]clock|ma['’]am|y['’]all|and/or|['’](?:em|til|cause|bout|nuff)|(?:do|go|hav|lov|noth|nuth|someth)in['’]|co\\.|vs\\.|v\\.s\\.|" +
    "[:;=8][-o']?[)(\\]\\[dp/|\\\\3]+|[)(]-?[:;=]|<3+|\\^_+\\^|-_+-|o[._]o)$",
  "iu",
);
const ABBREVIATION =
  /^(?:Adm|Apr|Aug|Bros|Corp|Dec|Dr|Feb|Gen|Gov|Inc|Jan|Jr|Jul|Jun|Ltd|Mar|Messrs|Mr|Mrs|Ms|Mt|Nov|Oct|Ph\.D|Prof|Rep|Rev|Sen|Sep|Sept|St)\.$/;
const HOUR = /^(1?[0-9])([ap]\.?m\.?)$/;
const CONTRACTION = /^([\p{L}\p{M}]+)(['’](?:ll|re|ve|d|m|s))$/iu;
const NOT = /^([\p{L}]+)(n['’]t)((?:['’]ve)?)$/iu;
const JOINED: ReadonlyMap<string, number> = new Map([["cannot", 3], ["gonna", 3], ["gotta", 3]]);

/** The parts of a word that is known as a whole, or made of known parts; null for any other. */
function known(word: string): readonly string[] | null {
  if (WHOLE.test(word) || ABBREVIATION.test(word)) return [word];
  const at = JOINED.get(word.toLowerCase());
  if (at !== undefined) return [word.slice(0, at), word.slice(at)];
  const hour = HOUR.exec(word);
  if (hour !== null) return hour.slice(1);
  const not = NOT.exec(word);
  if (not !== null && VERBS.test(not[1])) return not.slice(1).filter((part) => part !== "");
  const contraction = CONTRACTION.exec(word);
  return contraction === null ? null : contraction.slice(1);
}

/** The words of a piece of text without white space. */
function wordsOf(piece: string): string[] {
  const before: string[] = [], after: string[] = [];
  let rest = piece;
  while (rest !== "" && known(rest) === null && !URL_LIKE.test(rest)) {
    const prefix = PREFIX.exec(rest)?.[0] ?? "";
    if (prefix !== "" && (known(rest.slice(prefix.length)) !== null || prefix === rest)) {
      before.push(prefix);
      rest = rest.slice(prefix.length);
      break;
    }
    const suffix = SUFFIX.exec(rest.slice(prefix.length))?.[0] ?? "";
    if (prefix === "" && suffix === "") break;
    if (suffix !== "" && known(rest.slice(0, rest.length - suffix.length)) !== null) {
      after.push(suffix);
      rest = rest.slice(0, rest.length - suffix.length);
      break;
    }
    if (prefix !== "") before.push(prefix);
    if (suffix !== "") after.push(suffix);
    rest = rest.slice(prefix.length, rest.length - suffix.length);
  }
  const middle = rest === "" ? [] : known(rest) ?? (URL_LIKE.test(rest) ? [rest] : atInfixes(rest));
  return [...before, ...middle, ...after.reverse()];
}

function atInfixes(word: string): string[] {
  const out: string[] = [];
  let start = 0;
  for (const { 0: infix, index } of word.matchAll(INFIX)) {
    if (index === 0) continue;
    if (index > start) out.push(word.slice(start, index));
    out.push(infix);
    start = index + infix.length;
  }
  if (start < word.length) out.push(word.slice(start));
  return out;
}

const PIECE = new RegExp(`[${SPACE}]+|[^${SPACE}]+`, "gu"), WHITE = new RegExp(`^[${SPACE}]`, "u");
/** Longest piece without white space that is taken apart; what is longer, such as encoded data, is cut first. */
const MAX_PIECE = 1000;

/**
 * The words of a text, in order. Together, with the single spaces between them, they are the text.
 *
 * @example
 * ```ts
 * import { splitWords } from "./words.ts";
 * console.log(splitWords("don't (ever) stop").join("|")); // do|n't|(|ever|)|stop
 * ```
 */
export function splitWords(text: string): string[] {
  const out: string[] = [], cache = new Map<string, string[]>();
  let first = true;
  for (const [piece] of text.matchAll(PIECE)) {
    if (WHITE.test(piece)) {
      const rest = !first && piece.startsWith(" ") ? piece.slice(1) : piece;
      if (rest !== "") out.push(rest);
    } else {
      let words = cache.get(piece);
      if (words === undefined) {
        words = [];
        for (let at = 0, end = 0; at < piece.length; at = end) {
          end = at + MAX_PIECE;
          if ((piece.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++; // not within a character of two units
          words.push(...wordsOf(piece.slice(at, end)));
        }
        cache.set(piece, words);
      }
      for (const word of words) out.push(word);
    }
    first = false;
  }
  return out;
}
