/**
 * Recordings of text models; see `tests/oracle/record_text_models.py`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Tensor, tensor } from "../../mod.ts";
import { fillF32 } from "./fill.ts";
import { floats } from "./recorded.ts";

/** The recording. */
export function recorded(): Readonly<Record<string, Any>> {
  return JSON.parse(Deno.readTextFileSync(new URL("../golden/text_models.json", import.meta.url)));
}

// deno-lint-ignore no-explicit-any -- JSON
type Any = any;

/** The state that the recorded model had: parameter `i` of `names` filled by seed `first + i`. */
export function filledState(
  names: readonly string[],
  shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  scale: number = 0.3,
  first: number = 100,
): Map<string, Tensor> {
  return new Map(names.map((name, i) => {
    const found = shapes.get(name);
    assert(found !== undefined, `the model lacks ${name}`);
    const size = found.shape.reduce((a, b) => a * b, 1);
    return [name, tensor(fillF32(first + i, size, scale), { shape: [...found.shape] })];
  }));
}

/** Whether numbers are those that were recorded, up to `atol`. */
export async function near(got: Tensor, want: string, atol: number, what: string): Promise<void> {
  const a = await got.data(), b = floats(want);
  assertEquals(a.length, b.length, what);
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const off = Math.abs(a[i] - b[i]);
    if (!(off <= worst)) worst = off;
  }
  assert(worst <= atol, `${what} is off by ${worst}`);
}
