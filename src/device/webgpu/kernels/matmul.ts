/**
 * Products of matrices: a hand-written tile kernel, with text for how each operand lies and a generated epilogue spliced in.
 *
 * @module
 */
import type { MatmulKernel, View } from "../../contract.ts";
import { MATMUL_REGISTER, MATMUL_SHARED, OPERAND_ANY, OPERAND_COLUMNS, OPERAND_ROWS } from "../wgsl.gen.ts";
import { Access } from "./access.ts";
import { BodyWriter } from "./body.ts";
import { aliases, mathFunctions } from "./library.ts";
import { fitsVector } from "./map.ts";
import { closure } from "./operations.ts";
import { coordinates, fold, indent, type PlanContext, sizeOf, type Step } from "./plan.ts";
import { Words } from "./words.ts";

/** How the elements of an operand lie: rows contiguous, columns contiguous, or anything. */
type Layout = "rows" | "columns" | "any";

const OPERANDS: Record<Layout, string> = { rows: OPERAND_ROWS, columns: OPERAND_COLUMNS, any: OPERAND_ANY };

/** @param ends Sizes of the operand's last two axes. */
function layoutOf(view: View, ends: readonly [number, number]): Layout {
  const [row, column] = view.strides.slice(-2);
  const batchFits = view.strides.slice(0, -2).every((stride) => stride % 4 === 0);
  if (view.dyn !== undefined || view.offset % 4 !== 0 || !batchFits) return "any";
  const vectors = (step: number, length: number) => step > 0 && step % 4 === 0 && length % 4 === 0;
  if (column === 1 && ends[1] % 4 === 0 && (vectors(row, ends[1]) || ends[0] === 1)) return "rows";
  if (row === 1 && ends[0] % 4 === 0 && (vectors(column, ends[0]) || ends[1] === 1)) return "columns";
  return "any";
}

interface Operand {
  readonly name: "a" | "b";
  readonly view: View;
  readonly layout: Layout;
}

/** Plans a product. */
export function planMatmul(kernel: MatmulKernel, context: PlanContext, label: string): Step[] {
  const { batch, m, n, k, a, b } = kernel;
  const family = context.family();
  const batches = sizeOf(batch);
  const tiles = family === "shared"
    ? batches * Math.ceil(m / 64) * Math.ceil(n / 64)
    : Math.ceil(batches * Math.ceil(m / 8) * Math.ceil(n / 8) / REGISTER_WG);
  const [x, y] = fold(tiles);
  const words = new Words([m, n, k, batches, ...a.strides.slice(-2), ...b.strides.slice(-2), x, 0, 0, 0]);
  const operands: Operand[] = [
    { name: "a", view: a, layout: layoutOf(a, [m, k]) },
    { name: "b", view: b, layout: layoutOf(b, [k, n]) },
  ];
  const epilogue = writeEpilogue(kernel, words);
  const source = family === "shared" ? MATMUL_SHARED : MATMUL_REGISTER;
  let text = source;
  for (const operand of operands) {
    text = splice(text, operand.name, operandText(operand, batch, words, epilogue.access));
  }
  text = splice(text, "epilogue", epilogue.text).replace(/array<vec4u, \d+>/, `array<vec4u, ${words.vectors}>`);
  return [{
    label,
    text,
    overrides: family === "shared" ? {} : { WG: REGISTER_WG },
    constants: words.toArray(),
    bindings: [
      { slot: a.slot, writable: false },
      { slot: b.slot, writable: false },
      ...epilogue.access.bindings(),
    ],
    grid: [x, y],
  }];
}

const REGISTER_WG = 8;

function splice(text: string, hook: string, replacement: string): string {
  const [head, rest] = text.split(`// hook ${hook}\n`);
  return head + replacement + rest.slice(rest.indexOf("// end hook") + "// end hook".length);
}

function operandText({ name, view, layout }: Operand, batch: readonly number[], words: Words, access: Access): string {
  const text = OPERANDS[layout].split("// begin operand\n")[1].split("// end operand")[0];
  const names = batch.map((_, axis) => `c${axis}`);
  const writer = new BodyWriter({ body: [], access, words, coords: names });
  const [stride, end] = name === "a" ? ["K[1].xy", "K[0].xz"] : ["K[1].zw", "K[0].zy"];
  return [
    `fn ${name}_base(b: u32) -> u32 {`,
    ...indent(coordinates(names, batch, "b", words)),
    `  return ${writer.form({ ...view, strides: view.strides.slice(0, -2) })};`,
    `}`,
    text.replaceAll("x_stride()", stride).replaceAll("x_end()", end).replace(/\bx_(\w+)/g, `${name}_$1`)
      .replace(/@binding\(1\)/, `@binding(${name === "a" ? 1 : 2})`),
  ].join("\n");
}

interface Epilogue {
  readonly text: string;
  readonly access: Access;
}

function writeEpilogue(kernel: MatmulKernel, words: Words): Epilogue {
  const { batch, n, body, outs, a, b } = kernel;
  const dynamic = a.dyn !== undefined || b.dyn !== undefined;
  const vectors = new Access(body, outs, fitsVector, dynamic);
  const wide = n % 4 === 0 && outs.every((out) => vectors.memory(out.view.slot).vector) &&
    body.every((inst) => inst.k !== "load" || (inst.index === undefined && (inst.guards?.length ?? 0) === 0));
  const access = wide ? vectors : new Access(body, outs, undefined, dynamic);
  const coords = [...batch.map((_, axis) => `c${axis}`), "m", "n"];
  const writer = new BodyWriter({ body, access, words, coords, lanes: wide ? 4 : 1 });
  const content = [
    ...coordinates(coords.slice(0, -2), batch, "b", words),
    ...writer.statements(closure(body, outs.map((out) => out.value))),
    ...writer.stores(outs),
  ];
  const lanes = wide ? 4 : 1;
  const parts = [aliases(lanes), access.declare(3), mathFunctions(writer.used)];
  if (wide) {
    parts.push("fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {", ...indent(content), "}");
  } else {
    const end = "K[0].y";
    parts.push("fn epilogue_of(b: u32, m: u32, n: u32, acc: f32) {", ...indent(content), "}");
    parts.push("fn epilogue(b: u32, m: u32, n: u32, acc: vec4f) {");
    parts.push("  for (var i = 0u; i < 4u; i++) {", `    if (n + i < ${end}) {`);
    parts.push("      epilogue_of(b, m, n + i, acc[i]);", "    }", "  }", "}");
  }
  return { text: parts.filter((part) => part !== "").join("\n"), access };
}
