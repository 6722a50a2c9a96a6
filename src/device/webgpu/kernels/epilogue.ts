/**
 * What becomes of a product's elements: a function that hand-written kernels call with four neighbours of a row.
 *
 * @module
 */
import type { Inst, Store, View } from "../../contract.ts";
import { Access, type Binding } from "./access.ts";
import { ExprWriter } from "./expr_writer.ts";
import { fitsVector, Lanes } from "./lanes.ts";
import { aliases, mathFunctions } from "./wgsl_library.ts";
import { closure } from "../../data_flow.ts";
import { coordinates, indent, withQuotient } from "./plan.ts";
import type { Words } from "./words.ts";

/** What an epilogue is written from. */
export interface EpilogueOptions {
  /** Sizes of the axes before the rows, and of those that follow each other along a row. */
  readonly batch: readonly number[];
  readonly n: readonly number[];
  readonly body: readonly Inst[];
  readonly outs: readonly Store[];
  /** Constants of the kernel; `K[0].y` is the length of a row, all of `n`. */
  readonly words: Words;
  readonly uniformParams: boolean;
  /** See {@link AccessOptions.halves}. */
  readonly halves: boolean;
  /** Whether the kernel itself reads the run's parameters. */
  readonly params: boolean;
  /** The first free binding. */
  readonly binding: number;
  /** WGSL text of where the row of element `n` ends; the whole row's length if left out. */
  readonly end?: string;
  /** Whether four neighbours never belong to two rows of the last axis, whatever its size. */
  readonly rows?: boolean;
}

/** `fn epilogue(b: u32, m: u32, n: u32, acc: vec4f)`, with the declarations that it needs. */
export interface Epilogue {
  readonly text: string;
  readonly access: Access;
  readonly bindings: readonly Binding[];
}

/** Writes the epilogue of a kernel over `[...batch, m, ...n]`: whole vectors where memory allows it. */
export function writeEpilogue(options: EpilogueOptions): Epilogue {
  const { batch, n, body, outs, words, uniformParams, halves, params, binding, end = "K[0].y", rows = false } = options;
  const lanesOf = new Lanes(body);
  const fits = (view: View, load?: Inst & { k: "load" }) => load === undefined ? fitsVector(view) : lanesOf.fits(load);
  const vectors = new Access({ body, outs, uniformParams, halves, params, fits });
  const wide = n[n.length - 1] % 4 === 0 && outs.every((out) => vectors.memory(out.view.slot).vector) &&
    body.every((inst) => inst.k !== "load" || !lanesOf.isLoose(inst));
  const access = wide ? vectors : new Access({ body, outs, uniformParams, halves, params });
  const before = batch.map((_, axis) => `c${axis}`);
  const along = n.length === 1 ? ["n"] : n.map((_, axis) => `n${axis}`);
  const lanes = wide || rows ? 4 : 1;
  const writer = new ExprWriter({ body, access, words, coords: [...before, "m", ...along], lanes });
  const content = indent([
    ...coordinates(before, batch, "b", words),
    ...(n.length === 1 ? [] : coordinates(along, n, "n", words, "place")),
    ...writer.statements(closure(body, outs.map((out) => out.value))),
    ...writer.stores(outs, wide || !rows ? undefined : words.add(n[n.length - 1])),
  ]);
  const parts = [aliases(lanes), access.declare(binding), mathFunctions(writer.used)];
  if (lanes === 4) {
    parts.push("fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {", ...content, "}");
  } else {
    parts.push("fn epilogue_of(b: u32, m: u32, n: u32, acc: f32) {", ...content, "}");
    parts.push("fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {");
    parts.push("  for (var i = 0u; i < 4u; i++) {", `    if (n + i < ${end}) {`);
    parts.push("      epilogue_of(b, m, n + i, acc[i]);", "    }", "  }", "}");
  }
  return { text: parts.filter((part) => part !== "").join("\n"), access, bindings: access.bindings() };
}

/** Puts `replacement` between `// hook <hook>` and `// end hook` of a hand-written kernel. */
export function splice(text: string, hook: string, replacement: string): string {
  const [head, rest] = text.split(`// hook ${hook}\n`);
  return head + replacement + rest.slice(rest.indexOf("// end hook") + "// end hook".length);
}

/** `text` with its constants declared as long as `words` are. */
export function withConstants(text: string, words: Words): string {
  return withQuotient(text.replace(/array<vec4u, \d+>/, `array<vec4u, ${words.vectors}>`));
}
