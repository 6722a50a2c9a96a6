/**
 * Tokenizers against fastai's rules, spaCy's words and Hugging Face's tokenizers, as `tests/oracle/record_text.py` recorded
 * them.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError, DataError, Tokenizer } from "../../mod.ts";
import { applyRules, TEXT_RULES, type TextRule, undoRules } from "../../src/text/rules.ts";
import { countTokens, makeVocab, type TokenCounts } from "../../src/text/vocab.ts";
import { splitWords } from "../../src/text/words.ts";

interface Recorded {
  readonly hard: readonly string[];
  readonly long: string;
  readonly rules: Readonly<Record<TextRule, readonly string[]>>;
  readonly whole: readonly string[];
  readonly sentences: readonly { readonly text: string; readonly tokens: readonly string[] }[];
  readonly counted: readonly (readonly string[])[];
  readonly vocabs: readonly {
    readonly minFreq: number;
    readonly maxVocab: number;
    readonly vocab: readonly string[];
  }[];
  readonly undone: readonly { readonly tokens: readonly string[]; readonly words: readonly string[] }[];
  readonly hub: readonly {
    readonly name: string;
    readonly json: object;
    readonly vocab: number;
    readonly cases: readonly { readonly ids: readonly number[]; readonly bare: readonly number[] }[];
    readonly decoded: readonly string[];
  }[];
}

const recorded: Recorded = JSON.parse(await Deno.readTextFile(new URL("../golden/text.json", import.meta.url)));

for (const rule of TEXT_RULES) {
  Deno.test(`the rule ${rule} is fastai's for hard strings`, () => {
    recorded.hard.forEach((text, i) => {
      assertEquals(applyRules(text, [rule]), recorded.rules[rule][i], JSON.stringify(text));
    });
  });
}

Deno.test("all rules together are fastai's, for 10,000 characters too", () => {
  [...recorded.hard, recorded.long].forEach((text, i) => {
    assertEquals(applyRules(text), recorded.whole[i], JSON.stringify(text.slice(0, 80)));
  });
});

Deno.test("words are cut as spaCy cuts English", () => {
  for (const { text, tokens } of recorded.sentences) assertEquals(Tokenizer.words().tokenize(text), tokens, text);
});

Deno.test("words and the spaces between them are the text", () => {
  for (const text of [...recorded.hard, recorded.long]) {
    const plain = (t: string) => t.replace(/\s+/gu, "");
    assertEquals(plain(splitWords(text).join("")), plain(text));
  }
});

Deno.test("tokens of rules are carried out again as fastai does", () => {
  for (const { tokens, words } of recorded.undone) {
    // fastai goes on repeating after the first repetition
    if (!tokens.includes("xxrep")) assertEquals(undoRules(tokens), words, tokens.join(" "));
  }
  assertEquals(undoRules(["xxrep", "4", "a", "xxwrep", "3", "no", "end"]), ["aaaa", "no", "no", "no", "end"]);
  assertEquals(undoRules(["xxrep", "x", "y", "xxwrep", "1000000000", "z"]), ["x", "y", "1000000000", "z"]);
});

Deno.test("vocabularies are fastai's: by frequency, with a least and a most", () => {
  const counts: TokenCounts = new Map();
  for (const tokens of recorded.counted) countTokens(counts, tokens);
  for (const { vocab, ...options } of recorded.vocabs) {
    assertEquals(makeVocab(counts, undefined, options), vocab, JSON.stringify(options));
  }
  assertThrows(() => makeVocab(counts, undefined, { maxVocab: 9 }), ConfigError, "above 9");
  assertThrows(() => makeVocab(counts, undefined, { minFreq: 0 }), ConfigError, "minFreq is a whole number from 1");
});

for (const { name, json, vocab, cases, decoded } of recorded.hub) {
  Deno.test(`Hugging Face's ${name} tokenizer gives the same numbers, for hard strings too`, async () => {
    const tokenizer = await Tokenizer.fromJson(json);
    assertEquals(tokenizer.size, vocab);
    const texts = [...recorded.hard, [...recorded.long].slice(0, 10_000).join("")];
    texts.forEach((text, i) => {
      assertEquals([...tokenizer.encode(text)], cases[i].ids, JSON.stringify(text.slice(0, 80)));
      assertEquals([...tokenizer.encode(text, { special: false })], cases[i].bare, JSON.stringify(text.slice(0, 80)));
    });
    const again = await Tokenizer.fromJson(JSON.stringify(tokenizer));
    assertEquals(again.hash, tokenizer.hash);
    const corpus = decoded.map((text) => again.decode(again.encode(text)));
    assertEquals(corpus, [...decoded]);
  });
}

Deno.test("a text that is cut has its first tokens and those at its ends, and little more of it is read", async () => {
  const [{ json }] = recorded.hub;
  const tokenizer = await Tokenizer.fromJson(json);
  const text = recorded.long.repeat(100), whole = tokenizer.encode(recorded.long);
  for (const maxTokens of [2, 3, 10, 64, 100]) {
    const ids = tokenizer.encode(text, { maxTokens });
    assertEquals([...ids], [...whole.slice(0, maxTokens - 1), whole.at(-1)]);
  }
  const words = await Tokenizer.words({ minFreq: 1 }).learn([recorded.long]);
  assertEquals([...words.encode(text, { maxTokens: 50 })], [...words.encode(recorded.long).slice(0, 50)]);
  assertEquals([...words.encode("x ".repeat(100_000), { maxTokens: 4 })].length, 4);
  const t0 = performance.now(), most = words.encode(text.repeat(10), { maxTokens: 50 });
  assertEquals(most.length, 50);
  assert(performance.now() - t0 < 5000);
});

Deno.test("characters are code points, and come back as they were", async () => {
  const texts = ["Hé 😀 日本\n", "e\u0301\u0000\ud83d"];
  const tokenizer = await Tokenizer.chars().learn(texts);
  assertEquals(tokenizer.tokenize("a😀"), ["a", "😀"]);
  for (const text of texts) assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  assertEquals(tokenizer.encode("").length, 1); // xxbos
  assertEquals(tokenizer.encode("Z")[1], tokenizer.unkId);
  const again = await Tokenizer.fromJson(JSON.stringify(tokenizer));
  assertEquals([again.kind, again.hash, again.vocab], [tokenizer.kind, tokenizer.hash, tokenizer.vocab]);
});

Deno.test("words come back as they are written", async () => {
  const text = "He said, \"you don't (really) KNOW Mr Smith.\" It's nice: yes yes yes!";
  const tokenizer = await Tokenizer.words({ minFreq: 1 }).learn([text]);
  assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  const lines = await Tokenizer.words({ minFreq: 1 }).learn(["one\n\ntwo"]);
  assertEquals(lines.decode(lines.encode("one\n\ntwo")), "one\n\ntwo");
  const again = await Tokenizer.fromJson(JSON.parse(JSON.stringify(tokenizer)));
  assertEquals([...again.encode(text)], [...tokenizer.encode(text)]);
});

Deno.test("a tokenizer of one's own", async () => {
  const own = Tokenizer.own((text) => text.split(","), { minFreq: 1, join: (tokens) => tokens.join(",") });
  const tokenizer = await own.learn(["a,b,a"]);
  assertEquals(tokenizer.vocab, ["xxunk", "xxpad", "xxbos", "a", "b"]);
  assertEquals(tokenizer.decode(tokenizer.encode("b,a,q")), "b,a,xxunk");
  await assertRejects(() => Tokenizer.fromJson(JSON.stringify(tokenizer)), DataError, "code of your own");
  assertThrows(() => Tokenizer.own(() => 5 as never).tokenize("a"), DataError, "gives an array of strings");
});

Deno.test("tokenizers say what is wrong", async () => {
  assertThrows(() => Tokenizer.words().encode("a"), ConfigError, "no vocabulary yet");
  assertThrows(() => Tokenizer.words({ rules: ["nope" as never] }), ConfigError, "fixHtml");
  assertThrows(() => Tokenizer.chars({ vocab: ["a", "b"] }), ConfigError, 'without "xxpad"');
  assertThrows(() => Tokenizer.chars({ vocab: ["xxunk", "xxpad", "a", "a"] }), ConfigError, '"a" twice');
  const chars = await Tokenizer.chars().learn(["ab"]);
  assertThrows(() => chars.encode(5 as never), DataError, "type number");
  assertThrows(() => chars.decode([99]), DataError, "has 0 to 4");
  await assertRejects(() => Tokenizer.chars().learn(["a", null as never]), DataError, "text 1");
  await assertRejects(() => Tokenizer.fromFile("no/such/tokenizer.json"), DataError, "there is no such file");
  await assertRejects(() => Tokenizer.fromJson("{"), DataError, "it is no JSON");
  await assertRejects(() => Tokenizer.fromJson({}), DataError, 'it has no "model"');
  await assertRejects(() => Tokenizer.fromJson({ model: { type: "Nope" } }), DataError, "Cannot read a tokenizer");
  await assertRejects(() => Tokenizer.fromJson({ kind: "words", vocab: [1] }), DataError, "no list of texts");
  await assertRejects(() => Tokenizer.fromJson("[".repeat(10_000)), DataError, "nested too deeply");
});

Deno.test("long texts without white space keep their characters, and capitals are read once", () => {
  const tokens = splitWords(("漢字".repeat(499) + "x😀").repeat(9));
  assert(tokens.every((token) => token.isWellFormed()));
  assertEquals(splitWords("a \ufeffb\x85c"), ["a", "\ufeffb", "\x85", "c"]);
  const letters = "ACGT".repeat(60_000); // took minutes while it was read again from each letter
  assertEquals(applyRules(`${letters}x Of`, ["replaceAllCaps"]), `${letters}x Of`);
  assertEquals(applyRules(`${letters} OF`, ["replaceAllCaps"]), `xxup ${letters.toLowerCase()} xxup of`);
});
