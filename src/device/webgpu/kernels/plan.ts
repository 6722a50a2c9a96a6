/**
 * What the kernels of a program become: dispatches, as data. Nothing here touches the GPU.
 *
 * @module
 */
import type { DeviceProfile, Inst } from "../../contract.ts";
import type { Access, Binding } from "./access.ts";
import type { Packing } from "./conv_texel.ts";
import { aliases, mathFunctions, section, treeFunctions } from "./wgsl_library.ts";
import { QUOTIENT, SEGMENTS } from "../wgsl.gen.ts";
import type { ProductShape, TilingName } from "./tiles.ts";
import type { Words } from "./words.ts";

/** One dispatch as data: a kernel and its grid. Bindings follow the constants, which are at binding 0. */
export interface Dispatch {
  readonly label: string;
  readonly text: string;
  readonly overrides: Readonly<Record<string, number>>;
  readonly constants: Uint32Array;
  readonly bindings: readonly Binding[];
  /** Workgroups; with none the pipeline is made, and nothing is dispatched. */
  readonly grid: readonly [number, number];
  /** What is copied into textures before. */
  readonly copies?: readonly TexelCopy[];
}

/** Bytes of a slot that are copied to the start of a texture; both numbers are multiples of 16. */
export interface TexelCopy {
  readonly from: number;
  readonly offset: number;
  readonly bytes: number;
  readonly to: number;
}

/** Kernel strategies for products: tiles in workgroup memory, or in registers alone, with operands from buffers or textures. */
export const STRATEGIES = ["shared", "register", "texel"] as const;
/** One of {@link STRATEGIES}, or `tiled`: the tiles of `tiles.ts`, which take compilers for CPUs long. */
export type KernelStrategy = typeof STRATEGIES[number] | "tiled";

/** What planning a program needs to know and hand out. Slots beyond the program's are the device's own. */
export interface PlanContext {
  readonly profile: DeviceProfile;
  /** Whether the parameters fit a uniform buffer. */
  readonly uniformParams: boolean;
  /** Whether f16 is a type of the adapter's. */
  readonly halves: boolean;
  /** Threads that follow each other and lie in one subgroup; 0 for kernels without subgroups. */
  readonly lanes: number;
  /** The kernel strategy of the adapter. */
  strategy(): KernelStrategy;
  /** The tile of products of a shape. */
  tiling(shape: ProductShape): TilingName;
  /** A temporary of at least `bytes`, live for one kernel of the program. */
  scratch(bytes: number): number;
  /** Most bytes of such a temporary. */
  readonly mostScratch: number;
  /** A slot that holds the constants `words`. */
  table(words: readonly number[]): number;
  /** See `mergeLeftPackings`. */
  mergePacking(packing: Packing): Packing;
  /**
   * A texture of at least `texels`, four f32 each, laid out by {@link TEXELS_LOG2}; null if there can be none that large. What
   * it holds comes from `source`, a slot, and is named by `tag`: where `held`, it is there already.
   */
  texture(tag: string, source: number, texels: number): { readonly slot: number; readonly held: boolean } | null;
}

/** Texel `i` lies at `(i & (2 ** TEXELS_LOG2 - 1), i >> TEXELS_LOG2)`; shaders have the numbers in their text. */
export const TEXELS_LOG2 = 11;

/** Most workgroups along one axis, on every adapter. */
const MOST_GROUPS = 65535;

/** `groups` workgroups folded over x and y. */
export function fold(groups: number): [number, number] {
  if (groups === 0) return [0, 0];
  const y = Math.ceil(groups / MOST_GROUPS);
  return [Math.ceil(groups / y), y];
}

/** Product of sizes. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/**
 * Statements that take the row-major `index` (WGSL text) of `shape` apart into `names`, one u32 per axis.
 */
export function coordinates(
  names: readonly string[],
  shape: readonly number[],
  index: string,
  words: Words,
  rest = "rest",
): string[] {
  if (names.length === 0) return [];
  if (names.length === 1) return [`let ${names[0]} = ${index};`];
  const lines = [`var ${rest} = ${index};`];
  for (let axis = names.length - 1; axis > 0; axis--) {
    const size = words.add(shape[axis]);
    const above = `${rest}_${axis}`;
    lines.push(`let ${above} = quotient(${rest}, ${size});`);
    lines.push(`let ${names[axis]} = ${rest} - ${above} * ${size};`, `${rest} = ${above};`);
  }
  return [...lines, `let ${names[0]} = ${rest};`];
}

/** Counters over `shape`: `start` takes `index` apart once, `next` adds `step` and carries over without a division. */
export function counters(
  names: readonly string[],
  shape: readonly number[],
  words: Words,
  { index, step, rest }: { readonly index: string; readonly step: number; readonly rest: string },
): { start: string[]; next: string[] } {
  const start = coordinates(names.map((name) => `first_${name}`), shape, index, words, rest);
  const next: string[] = [];
  let below = 1;
  for (let axis = names.length - 1; axis >= 0; axis--) {
    start.push(`var ${names[axis]} = first_${names[axis]};`);
    // the first axis never carries
    const by = Math.floor(step / below) % (axis === 0 ? 2 ** 31 : shape[axis]);
    const carry = axis === names.length - 1 ? "" : ` + carry_${axis + 1}`;
    const [amount, name] = [by === 1 ? "1u" : words.add(by), names[axis]];
    next.push(`${name} += ${amount}${carry};`);
    if (axis > 0) {
      const size = words.add(shape[axis]);
      next.push(`let carry_${axis} = select(0u, 1u, ${name} >= ${size});`, `${name} -= carry_${axis} * ${size};`);
    }
    below *= shape[axis];
  }
  return { start, next };
}

/** `text`, with the function that divides indices if it calls it. */
export function withQuotient(text: string): string {
  if (!text.includes("quotient(") || text.includes("fn quotient(")) return text;
  return text + section(QUOTIENT, "quotient");
}

/** Indents lines by `levels` steps. */
export function indent(lines: readonly string[], levels = 1): string[] {
  return lines.map((line) => "  ".repeat(levels) + line);
}

/** Hands out ranges of one table of segment starts per kernel. */
export class Segments {
  readonly #words: number[] = [];
  readonly #constants: Words;

  constructor(constants: Words) {
    this.#constants = constants;
  }

  /** WGSL text of where `starts` lies in the table. */
  add(starts: readonly number[]): { first: string; count: string } {
    const first = this.#words.length;
    this.#words.push(...starts);
    return { first: this.#constants.add(first), count: this.#constants.add(starts.length) };
  }

  /** Bindings of the table: none or one. */
  bindings(context: PlanContext): Binding[] {
    return this.#words.length === 0 ? [] : [{ slot: context.table(this.#words), writable: false }];
  }
}

/** Most segments that are found by comparisons with constants; more are looked up in a table. */
export const FEW_SEGMENTS = 24;

/** Whether the body looks segments up in a table, which is bound then. */
export function usesSegments(body: readonly Inst[]): boolean {
  return body.some((inst) => inst.k === "segment" && inst.starts.length > FEW_SEGMENTS);
}

/** Parts of a generated kernel's text. */
export interface Parts {
  readonly lanes: 1 | 4;
  readonly words: Words;
  readonly access: Access;
  readonly used: ReadonlySet<string>;
  readonly segments: boolean;
  /** A declaration after those of the slots. */
  readonly extra?: string;
  /** The body of `main`. */
  readonly main: readonly string[];
}

/** The text of a generated kernel: one thread has `group` and `local`, and there are WG threads in a workgroup. */
export function kernelText(parts: Parts): string {
  const { lanes, words, access, used, segments, extra = "", main } = parts;
  const trees = treeFunctions(used);
  const names = new Set([...used, ...(trees.match(/\w+/g) ?? [])]);
  return withQuotient(
    [
      "override WG: u32 = 64u;",
      aliases(lanes),
      `@group(0) @binding(0) var<uniform> K: array<vec4u, ${words.vectors}>;`,
      segments ? SEGMENTS : "",
      access.declare(segments ? 2 : 1),
      extra,
      mathFunctions(names),
      trees,
      "@compute @workgroup_size(WG)",
      "fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {",
      ...indent(main),
      "}",
      "",
    ].filter((part) => part !== "").join("\n") + "\n",
  );
}
