/**
 * Hugging Face's tokenizers: `tokenizer.json`.
 *
 * @module
 */
import type { Json } from "../base/json.ts";
import { AnnealError, DataError } from "../base/errors.ts";
import { asRead } from "./hub_parts.ts";
import type { SpecialIds, TokenSource } from "./token_source.ts";

type Dict = Readonly<Record<string, unknown>>;

const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null && !Array.isArray(value);

/** What of the library's tokenizer is used here. */
interface HubTokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[]; tokens: string[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  get_vocab(withAdded: boolean): Map<string, number>;
}

/** Names of tokens with a meaning, as the families of models have them. */
const NAMES: Readonly<Record<keyof SpecialIds, readonly string[]>> = {
  unk: ["[UNK]", "<unk>", "<|unk|>"],
  pad: ["[PAD]", "<pad>", "<|pad|>", "<|endoftext|>", "</s>", "[SEP]"],
  bos: ["<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[CLS]", "<|endoftext|>"],
  eos: ["</s>", "<eos>", "<|end_of_text|>", "[SEP]", "<|endoftext|>"],
};

/** Chinese characters beyond 16 bits: each is a word where others are, which the library knows of those below only. */
const WIDE_CHINESE = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Whether a normalizer, or one of several, sets Chinese characters apart. */
function setsChineseApart(normalizer: unknown): boolean {
  if (!isDict(normalizer)) return false;
  if (Array.isArray(normalizer.normalizers)) return normalizer.normalizers.some(setsChineseApart);
  return normalizer.type === "BertNormalizer" && normalizer.handle_chinese_chars !== false;
}

/** Tokens as a `tokenizer.json` says. */
export class HubTokens implements TokenSource {
  readonly kind = "huggingface" as const;
  readonly vocab: readonly string[];
  readonly special: SpecialIds;
  readonly around: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly #tokenizer: HubTokenizer;
  readonly #json: Dict;
  readonly #config: Dict;
  readonly #apart: boolean;

  private constructor(tokenizer: HubTokenizer, json: Dict, config: Dict) {
    this.#tokenizer = tokenizer;
    this.#json = json;
    this.#config = config;
    this.#apart = setsChineseApart(json.normalizer);
    const byToken = tokenizer.get_vocab(true), vocab: string[] = [];
    for (const [token, id] of byToken) vocab[id] = token;
    for (let i = 0; i < vocab.length; i++) vocab[i] ??= ""; // numbers that no token has
    this.vocab = vocab;
    const model = isDict(json.model) ? json.model : {}, padding = isDict(json.padding) ? json.padding : {};
    const named = (kind: keyof SpecialIds): number | null => {
      const given = config[`${kind}_token`], name = isDict(given) ? given.content : given;
      const own = typeof name === "string" ? byToken.get(name) : undefined;
      const known = NAMES[kind].map((n) => byToken.get(n)).find((id) => id !== undefined);
      return own ?? known ?? null;
    };
    const unk = typeof model.unk_token === "string" ? byToken.get(model.unk_token) ?? null : named("unk");
    const pad = typeof padding.pad_id === "number" ? padding.pad_id : named("pad");
    this.special = { unk, pad: pad ?? 0, bos: named("bos"), eos: named("eos") };
    this.around = this.#template();
  }

  /**
   * Reads one.
   *
   * @param json What `tokenizer.json` holds.
   * @param config What `tokenizer_config.json` holds.
   * @throws DataError where it is none, or has a part that is not known.
   */
  static async of(json: unknown, config: unknown, where: string): Promise<HubTokens> {
    if (!isDict(json) || !isDict(json.model)) {
      throw new DataError(`Cannot read a tokenizer from ${where}: it has no "model", as a tokenizer.json has`);
    }
    const { Tokenizer } = await import("@huggingface/tokenizers");
    const { padding: _, truncation: __, ...plain } = json; // batches are padded and cut by loaders
    const settings = isDict(config) ? config : {};
    try {
      const made = new Tokenizer(asRead(plain), { ...settings }) as HubTokenizer;
      return new HubTokens(made, json, settings);
    } catch (cause) {
      if (cause instanceof AnnealError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new DataError(`Cannot read a tokenizer from ${where}: ${reason}`, { cause });
    }
  }

  /** What the tokenizer puts before and behind a text. */
  #template(): { before: readonly number[]; after: readonly number[] } {
    const bare = this.ids("a"), whole = this.#tokenizer.encode("a", { add_special_tokens: true }).ids;
    const at = whole.findIndex((_, i) => bare.every((id, k) => whole[i + k] === id));
    if (bare.length === 0 || at < 0) return { before: [], after: [] };
    return { before: whole.slice(0, at), after: whole.slice(at + bare.length) };
  }

  tokens(text: string): readonly string[] {
    return this.#encode(text).tokens;
  }

  ids(text: string): readonly number[] {
    return this.#encode(text).ids;
  }

  #encode(text: string): { readonly ids: readonly number[]; readonly tokens: readonly string[] } {
    if (text === "") return { ids: [], tokens: [] };
    const spaced = this.#apart ? text.replace(WIDE_CHINESE, " $& ") : text;
    return this.#tokenizer.encode(spaced, { add_special_tokens: false });
  }

  join(ids: readonly number[]): string {
    if (ids.length === 0) return "";
    const clean = this.#config.clean_up_tokenization_spaces === true;
    return this.#tokenizer.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: clean });
  }

  learn(): TokenSource {
    return this;
  }

  toJSON(): { readonly [name: string]: Json | undefined } {
    return { kind: this.kind, tokenizer: this.#json as Json as never, config: this.#config as Json as never };
  }
}
