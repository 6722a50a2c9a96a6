/**
 * Tokens whose vocabulary is learnt here: words, characters, and what a function of somebody's own gives.
 *
 * @module
 */
import type { Json } from "../base/json.ts";
import { ConfigError, DataError } from "../base/errors.ts";
import { eventLoopTurn } from "../base/turn.ts";
import { applyRules, SPECIAL, type TextRule, undoRules } from "./rules.ts";
import type { SpecialIds, TokenSource } from "./token_source.ts";
import { countTokens, makeVocab, type TokenCounts, type VocabOptions } from "./vocab.ts";
import { splitWords } from "./words.ts";

/** Cuts texts into tokens. */
interface Cutter {
  readonly kind: "words" | "chars" | "own";
  /** Tokens with a meaning, in their order. */
  readonly special: readonly string[];
  /** Whether each text begins with `xxbos` beside what {@link Cutter.cut} gives. */
  readonly addsBos: boolean;
  cut(text: string): readonly string[];
  join(tokens: readonly string[]): string;
  /** Of words: the rules. */
  readonly rules?: readonly TextRule[];
}

/** Marks that stand right behind a word, and those that a word stands right behind. */
const BEHIND = /^(?:[.,:;!?…%)\]}»”’]|['’](?:s|m|d|ll|re|ve)|n['’]t)$/iu, BEFORE = /^[([{«“‘$€£#]$/u;

/** Words as they are written: without spaces before a full stop, behind an opening bracket and around line breaks. */
export function joinWords(tokens: readonly string[]): string {
  let out = "", glue = true, quoted = false;
  for (const word of undoRules(tokens)) {
    const white = /^[\s▁]+$/u.test(word);
    const closing = word === '"' && quoted;
    if (word === '"') quoted = !quoted;
    out += glue || white || closing || BEHIND.test(word) ? "" : " ";
    out += white ? word.replaceAll("▁", " ") : word;
    glue = white || BEFORE.test(word) || word === '"' && !closing;
  }
  return out;
}

/** Words of English and languages like it, after fastai's rules. */
export function wordCutter(rules: readonly TextRule[]): Cutter {
  return {
    kind: "words",
    special: Object.values(SPECIAL),
    addsBos: !rules.includes("lowercase"), // which writes it
    rules,
    cut: (text) => splitWords(applyRules(text, rules)).map((word) => word.replaceAll(" ", "▁")),
    join: joinWords,
  };
}

/** Characters: Unicode's code points. */
export function charCutter(): Cutter {
  return {
    kind: "chars",
    special: [SPECIAL.unk, SPECIAL.pad, SPECIAL.bos],
    addsBos: true,
    cut: (text) => [...text],
    join: (tokens) => tokens.join(""),
  };
}

/** A function of somebody's own. */
export function ownCutter(
  split: (text: string) => readonly string[],
  join: (tokens: readonly string[]) => string,
): Cutter {
  return {
    kind: "own",
    special: [SPECIAL.unk, SPECIAL.pad, SPECIAL.bos],
    addsBos: true,
    cut: (text) => {
      const tokens: unknown = split(text);
      if (Array.isArray(tokens) && tokens.every((t) => typeof t === "string")) return tokens;
      throw new DataError("Cannot use a tokenizer of one's own: its function gives an array of strings");
    },
    join,
  };
}

/** What fastai fills vocabularies up with. */
const FILLER = "xxfake";
/** Characters that are counted before others have a turn. */
const AT_ONCE = 1 << 20;

/** Tokens with numbers of their own. */
export class OwnTokens implements TokenSource {
  readonly kind: "words" | "chars" | "own";
  readonly special: SpecialIds;
  readonly around: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly #cutter: Cutter;
  readonly #options: VocabOptions;
  readonly #ids: ReadonlyMap<string, number>;

  constructor(cutter: Cutter, readonly vocab: readonly string[], options: VocabOptions) {
    this.kind = cutter.kind;
    this.#cutter = cutter;
    this.#options = options;
    const ids = new Map<string, number>();
    vocab.forEach((token, i) => {
      if (token === FILLER) return;
      if (ids.has(token)) throw new ConfigError(`Cannot use a vocabulary that has ${JSON.stringify(token)} twice`);
      ids.set(token, i);
    });
    if (vocab.length > 0 && !ids.has(SPECIAL.pad)) {
      throw new ConfigError(`Cannot use a vocabulary without "${SPECIAL.pad}", which fills up shorter texts`);
    }
    if (vocab.length > 0 && !ids.has(SPECIAL.unk)) {
      throw new ConfigError(
        `Cannot use a vocabulary without "${SPECIAL.unk}", which stands for tokens that are in none`,
      );
    }
    this.#ids = ids;
    const id = (token: string) => ids.get(token) ?? null;
    this.special = { unk: id(SPECIAL.unk), pad: ids.get(SPECIAL.pad) ?? 1, bos: id(SPECIAL.bos), eos: id(SPECIAL.eos) };
    const { bos } = this.special;
    this.around = { before: cutter.addsBos && bos !== null ? [bos] : [], after: [] };
  }

  tokens(text: string): readonly string[] {
    return this.#cutter.cut(text);
  }

  ids(text: string): readonly number[] {
    const unknown = this.special.unk ?? 0;
    return this.#cutter.cut(text).map((token) => this.#ids.get(token) ?? unknown);
  }

  join(ids: readonly number[]): string {
    const left = new Set<string>([SPECIAL.pad, SPECIAL.bos, SPECIAL.eos]);
    return this.#cutter.join(ids.map((id) => this.vocab[id]).filter((token) => !left.has(token)));
  }

  async learn(texts: Iterable<string>): Promise<TokenSource> {
    if (this.vocab.length > 0) return this;
    const counts: TokenCounts = new Map();
    if (this.#cutter.addsBos) countTokens(counts, [SPECIAL.bos]);
    let since = 0;
    for (const text of texts) {
      countTokens(counts, this.#cutter.cut(text));
      if ((since += text.length) < AT_ONCE) continue;
      since = 0;
      await eventLoopTurn();
    }
    const defaults = this.kind === "chars" ? { minFreq: 1 } : {};
    return new OwnTokens(this.#cutter, makeVocab(counts, this.#cutter.special, { ...defaults, ...this.#options }), {});
  }

  /** The same tokens with another vocabulary, or with other options for learning one. */
  withVocab(vocab: readonly string[], options: VocabOptions): OwnTokens {
    return new OwnTokens(this.#cutter, vocab, { ...this.#options, ...options });
  }

  toJSON(): { readonly [name: string]: Json | undefined } {
    return {
      kind: this.kind,
      vocab: this.vocab,
      ...(this.#cutter.rules === undefined ? {} : { rules: this.#cutter.rules }),
    };
  }
}
