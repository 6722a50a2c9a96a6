/**
 * Parts of `tokenizer.json` against Hugging Face's tokenizers, as `tests/oracle/record_pre_tokenizers.py` recorded them: where
 * texts are cut, what is lowered, what is put together.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import recorded from "../golden/pre_tokenizers.json" with { type: "json" };
import { Tokenizer } from "../../mod.ts";

/** A tokenizer with these parts whose words are all pieces that there may be. */
async function withParts(parts: object, words: readonly string[]): Promise<Tokenizer> {
  const vocab = Object.fromEntries(["[UNK]", ...new Set(words)].map((word, id) => [word, id]));
  const none = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return await Tokenizer.fromJson({ ...none, ...parts, model: { type: "WordLevel", vocab, unk_token: "[UNK]" } });
}

for (const { json, pieces } of recorded.preTokenizers) {
  Deno.test(`texts are cut by ${JSON.stringify(json)}`, async () => {
    const tokenizer = await withParts({ pre_tokenizer: json }, pieces.flat());
    recorded.texts.forEach((text, i) => assertEquals(tokenizer.tokenize(text), pieces[i], JSON.stringify(text)));
  });
}

for (const { json, texts } of recorded.normalizers) {
  Deno.test(`texts are written as ${JSON.stringify(json)} says`, async () => {
    const tokenizer = await withParts({ normalizer: json }, texts);
    recorded.texts.forEach((text, i) =>
      assertEquals(tokenizer.tokenize(text), texts[i] === "" ? [] : [texts[i]], JSON.stringify(text))
    );
  });
}

Deno.test("texts are put together with or without a space before the first word", async () => {
  for (const { json, text } of recorded.decoders) {
    const tokenizer = await withParts({ decoder: json }, recorded.words);
    assertEquals(
      tokenizer.decode(recorded.words.map((word) => tokenizer.vocab.indexOf(word))),
      text,
      JSON.stringify(json),
    );
  }
});

Deno.test("a Metaspace of older files that puts nothing before a text", async () => {
  const part = { type: "Metaspace", replacement: "▁", add_prefix_space: false };
  const tokenizer = await withParts({ pre_tokenizer: part, decoder: part }, ["Hello", "▁World"]);
  assertEquals(tokenizer.tokenize("Hello World"), ["Hello", "▁World"]);
  assertEquals(tokenizer.decode(tokenizer.encode("Hello World")), "Hello World");
});
