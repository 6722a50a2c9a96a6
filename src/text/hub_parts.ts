/**
 * Parts of a `tokenizer.json` in words that `@huggingface/tokenizers` reads as Hugging Face's own library does. Of pieces it
 * knows two ways to cut them, at matches that stay or go, and letters and digits of ASCII alone; what a file asks beyond is
 * a pattern for these two.
 *
 * @module
 */

type Dict = Readonly<Record<string, unknown>>;

const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null && !Array.isArray(value);

/** A `tokenizer.json` that means the same there. */
export function asRead(json: Dict): Dict {
  const { normalizer, pre_tokenizer, decoder } = json;
  return {
    ...json,
    normalizer: each(normalizer, "normalizers", normalizerOf),
    pre_tokenizer: each(pre_tokenizer, "pretokenizers", preTokenizerOf),
    decoder: each(decoder, "decoders", decoderOf),
  };
}

/** A part, or each of a sequence of them, changed. */
function each(part: unknown, list: string, change: (part: Dict) => Dict): unknown {
  if (!isDict(part)) return part;
  const inner = part[list];
  return Array.isArray(inner) ? { ...part, [list]: inner.map((one) => each(one, list, change)) } : change(part);
}

/** Letters are lowered one by one: a capital sigma is `σ` at the end of a word, too, where JavaScript writes `ς`. */
function normalizerOf(part: Dict): Dict {
  const lowers = part.type === "Lowercase" || part.type === "BertNormalizer" && part.lowercase !== false;
  if (!lowers) return part;
  const sigma = { type: "Replace", pattern: { String: "\u03a3" }, content: "\u03c3" };
  return { type: "Sequence", normalizers: [sigma, part] };
}

const PUNCTUATION = "!-/:-@\\[-`{-~\\p{P}";
/** White space of Unicode; JavaScript's own has a byte-order mark and lacks a control character. */
const SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";
/** Letters, digits, marks, and what joins them. */
const WORD = "\\w\u200c\u200d";

function preTokenizerOf(part: Dict): Dict {
  switch (part.type) {
    case "Whitespace":
      return matches(`[${WORD}]+|[^${WORD}${SPACE}]+`);
    case "WhitespaceSplit":
      return matches(`[^${SPACE}]+`);
    case "BertPreTokenizer":
      return matches(`[^${SPACE}${PUNCTUATION}]+|[${PUNCTUATION}]`);
    case "Digits":
      return isolated(part.individual_digits === true ? "\\p{N}" : "\\p{N}+");
    case "FixedLength":
      return matches(`[\\s\\S]{1,${Number(part.length ?? 5)}}`);
    case "CharDelimiterSplit":
      return split(escaped(String(part.delimiter)), "Removed", false);
    case "Punctuation":
      return split(`[${PUNCTUATION}]`, String(part.behavior ?? "Isolated"), false);
    case "Split": {
      const pattern = isDict(part.pattern) ? part.pattern : {};
      const source = typeof pattern.Regex === "string"
        ? pattern.Regex
        : typeof pattern.String === "string"
        ? escaped(pattern.String)
        : null;
      return source === null ? part : split(source, String(part.behavior ?? "Isolated"), part.invert === true);
    }
    case "Metaspace": {
      const { replacement = "\u2581", add_prefix_space: prefix } = part;
      const scheme = part.prepend_scheme ?? (prefix === false ? "never" : "always");
      const marked = { ...part, prepend_scheme: scheme };
      if (part.split === false) return marked;
      return {
        type: "Sequence",
        pretokenizers: [marked, split(escaped(String(replacement)), "MergedWithNext", false)],
      };
    }
    default:
      return part;
  }
}

/** Without a space before the first word nothing is taken from it. */
function decoderOf(part: Dict): Dict {
  const never = part.prepend_scheme === "never" || part.prepend_scheme === undefined && part.add_prefix_space === false;
  if (part.type !== "Metaspace" || !never) return part;
  return { type: "Replace", pattern: { String: part.replacement ?? "\u2581" }, content: " " };
}

/**
 * Cuts text at the matches of a pattern.
 *
 * @param invert Whether what lies between matches counts as the match.
 */
function split(source: string, behavior: string, invert: boolean): Dict {
  switch (behavior) {
    case "Removed":
      return invert ? matches(source) : { ...isolated(source), behavior: "Removed" };
    case "Isolated":
      return isolated(source); // both kinds of pieces stay, whichever counts as the match
    case "Contiguous":
      return isolated(`(?:${source})+`);
    case "MergedWithPrevious":
      return invert ? begins(source) : ends(source);
    case "MergedWithNext":
      return invert ? ends(source) : begins(source);
    default:
      return { type: "Split", pattern: { Regex: source }, behavior, invert };
  }
}

/** The matches are pieces, and so is what lies between them. */
function isolated(source: string): Dict {
  return { type: "Split", pattern: { Regex: source }, behavior: "Isolated", invert: false };
}

/** The matches are the pieces; what lies between them is left out. */
function matches(source: string): Dict {
  return { type: "Split", pattern: { Regex: source }, behavior: "Removed", invert: true };
}

/** Each piece ends with a match. */
function ends(source: string): Dict {
  return matches(`[\\s\\S]*?(?:${source})|[\\s\\S]+`);
}

/** Each piece but the first begins with a match. */
function begins(source: string): Dict {
  return matches(`(?:${source})(?:(?!${source})[\\s\\S])*|(?:(?!${source})[\\s\\S])+`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
