/**
 * Products of matrices: a hand-written tile kernel, with text for how each operand lies and a generated epilogue spliced in.
 *
 * @module
 */
import type { MatmulKernel, View } from "../../contract.ts";
import { MATMUL_REGISTER, MATMUL_SHARED, MATMUL_SMALL, TEXEL_HALVES } from "../wgsl.gen.ts";
import type { Binding } from "./access.ts";
import { splice, withConstants, writeEpilogue } from "./epilogue.ts";
import { type Dispatch, fold, type KernelStrategy, type PlanContext, sizeOf } from "./plan.ts";
import { memoryText } from "./operand_memory.ts";
import { layoutOf, type Operand, operandText } from "./operands.ts";
import { planMatmulTiled } from "./tiled.ts";
import { Words } from "./words.ts";

/** Plans a product. */
export function planMatmul(kernel: MatmulKernel, context: PlanContext, label: string): Dispatch[] {
  const { batch, m, n, k, a, b } = kernel;
  const batches = sizeOf(batch);
  const tile = chooseTile(kernel, batches, context);
  if (tile === null) return planMatmulTiled(kernel, context, label);
  const [x, y] = fold(Math.ceil(batches * Math.ceil(m / tile.high) * Math.ceil(n / tile.wide) / tile.threads));
  const words = new Words([m, n, k, batches, ...a.strides.slice(-2), ...b.strides.slice(-2), x, 8, 4, 0]);
  const operand = (name: "a" | "b", view: View, ends: readonly [number, number]): Operand => {
    const layout = tile.blocks ? layoutOf(view, ends) : "any";
    const lying: Operand = { name, view, layout, halves: context.halves };
    return tile.texels && layout !== "any" ? inTexture(lying, { shape: [...batch, ...ends], context, label }) : lying;
  };
  const operands = [operand("a", a, [m, k]), operand("b", b, [k, n])];
  const epilogue = writeEpilogue({
    batch,
    n: [n],
    body: kernel.body,
    outs: kernel.outs,
    words,
    uniformParams: context.uniformParams,
    halves: context.halves,
    params: a.dyn !== undefined || b.dyn !== undefined,
    binding: 3,
  });
  let text = tile.text;
  for (const each of operands) text = splice(text, each.name, operandText(each, batch, words, epilogue.access));
  text = withConstants(splice(text, "epilogue", epilogue.text), words);
  const product: Dispatch = {
    label,
    text,
    overrides: tile.overrides,
    constants: words.toArray(),
    bindings: [
      ...operands.map(({ view, texture }): Binding =>
        texture === undefined
          ? { slot: view.slot, writable: false }
          : { slot: texture, writable: false, texture: "read" }
      ),
      ...epilogue.bindings,
    ],
    grid: [x, y],
    copies: operands.flatMap(({ copies = [] }) => copies),
  };
  return [...operands.flatMap(({ fill = [] }) => fill), product];
}

/** A hand-written tile kernel. */
interface Tile {
  readonly text: string;
  readonly overrides: Readonly<Record<string, number>>;
  /** Size of what counts as one unit of work, and units a workgroup does. */
  readonly high: number;
  readonly wide: number;
  readonly threads: number;
  /** Whether operands are read in 4x4 blocks. */
  readonly blocks: boolean;
  /** Whether operands that can be are copied into textures first. */
  readonly texels: boolean;
}

const SMALL: Tile = {
  text: MATMUL_SMALL,
  overrides: { WG: 64 },
  high: 1,
  wide: 4,
  threads: 64,
  blocks: false,
  texels: false,
};
const REGISTER: Tile = {
  text: MATMUL_REGISTER,
  overrides: { WG: 8 },
  high: 16,
  wide: 8,
  threads: 8,
  blocks: true,
  texels: false,
};
const SHARED: Tile = {
  text: MATMUL_SHARED,
  overrides: {},
  high: 64,
  wide: 64,
  threads: 1,
  blocks: true,
  texels: false,
};
const TEXEL: Tile = { ...REGISTER, texels: true };
/** For `tiled`, see `tiled.ts`. */
const TILES: Record<KernelStrategy, Tile | null> = { shared: SHARED, register: REGISTER, texel: TEXEL, tiled: null };

/** Products with no more multiplications than this may take the small kernel. */
const SMALL_PRODUCT: Record<KernelStrategy, number> = {
  register: 2 ** 20,
  shared: 2 ** 16,
  texel: 2 ** 16,
  tiled: 2 ** 16,
};
/** ... if the two sizes that are not the batch's multiply to no more than this: a last, shorter batch keeps its kernel. */
const SMALL_WEIGHTS = 2 ** 12;

function chooseTile({ m, n, k, a }: MatmulKernel, batches: number, context: PlanContext): Tile | null {
  // a gradient of weights (TN) sums over the batch; elsewhere rows are the batch's
  const weights = a.strides.at(-2) === 1 && k > 1 ? m * n : n * k;
  const work = weights <= SMALL_WEIGHTS ? batches * m * n * k : Infinity;
  if (work <= SMALL_PRODUCT.shared) return SMALL; // whatever the strategy: no trial for that
  const strategy = context.strategy();
  if (work <= SMALL_PRODUCT[strategy]) return SMALL;
  return TILES[strategy];
}

/** The operand as a texture: a copy of the elements that it spans, with gaps between rows or columns if there are any. */
function inTexture(
  operand: Operand,
  { shape, context, label }: {
    readonly shape: readonly number[];
    readonly context: PlanContext;
    readonly label: string;
  },
): Operand {
  const { slot, offset, strides, dtype } = operand.view;
  if (strides.some((stride) => stride < 0)) return operand;
  const end = shape.reduce((at, size, axis) => at + (size - 1) * strides[axis], 1);
  const texels = Math.ceil(end / 4);
  const texture = context.texture(`${dtype} ${offset} ${texels}`, slot, texels);
  if (texture === null) return operand;
  const laid: Operand = { ...operand, view: { ...operand.view, offset: 0 }, texture: texture.slot };
  if (texture.held) return laid;
  if (dtype === "f16") return { ...laid, fill: [planHalves(operand, { texels, to: texture.slot, label })] };
  return { ...laid, copies: [{ from: slot, offset: offset * 4, bytes: texels * 16, to: texture.slot }] };
}

/** Plans a copy of f16 as f32: textures are read alike, whatever came from where. */
function planHalves(
  { name, view: { slot, offset, dtype }, halves }: Operand,
  { texels, to, label }: { readonly texels: number; readonly to: number; readonly label: string },
): Dispatch {
  const grid = fold(Math.ceil(texels / 64));
  const words = new Words([offset / 4, texels, grid[0], 0]);
  return {
    label: `${label} ${name} texels`,
    text: splice(TEXEL_HALVES, "x", memoryText({ name: "x", binding: 1, dtype, halves, vectors: true })),
    overrides: { WG: 64 },
    constants: words.toArray(),
    bindings: [{ slot, writable: false }, { slot: to, writable: true, texture: "write" }],
    grid,
  };
}
