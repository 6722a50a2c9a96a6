/**
 * How tiles of convolutions bring 4x4 blocks of their operands: as vectors where four terms, or four elements across them, lie beside
 * each other and aligned, as in weights and in convolutions of 1 x 1; else number by number, guarded.
 *
 * @module
 */
import type { ConvKernel, View } from "../../contract.ts";

/** What a vector of memory holds: four terms, four elements across, or there are only numbers. */
export type Vectors = "terms" | "across" | "none";

/** An operand's blocks. */
export interface WindowBlocks {
  readonly vectors: Vectors;
  /** Whether threads that follow each other had better bring terms that do, rather than elements across. */
  readonly termsFirst: boolean;
}

interface Axis {
  readonly size: number;
  readonly stride: number;
}

/** The blocks of both operands. */
export function windowBlocks({ groups, m, k, n, a, b, guards }: ConvKernel): { a: WindowBlocks; b: WindowBlocks } {
  const axes = (sizes: readonly number[], strides: readonly number[]): Axis[] =>
    sizes.map((size, i) => ({ size, stride: strides[i] }));
  const [ga, ma, ...ka] = axes([groups, m, ...k], a.strides), [gb, ...rest] = axes([groups, ...k, ...n], b.strides);
  const [kb, nb] = [rest.slice(0, k.length), rest.slice(k.length)];
  return {
    a: blocksOf(a, { terms: ka, across: [ma], others: [ga] }, false),
    b: blocksOf(b, { terms: kb, across: nb, others: [gb] }, guards.length > 0),
  };
}

interface Lying {
  readonly terms: readonly Axis[];
  readonly across: readonly Axis[];
  readonly others: readonly Axis[];
}

function blocksOf(view: View, { terms, across, others }: Lying, guarded: boolean): WindowBlocks {
  const aligned = !guarded && view.dyn === undefined && view.offset % 4 === 0;
  const vectors = !aligned
    ? "none"
    : fitVectors(terms, [...across, ...others])
    ? "terms"
    : fitVectors(across, [...terms, ...others])
    ? "across"
    : "none";
  const termsFirst = vectors === "none" ? reach(terms) > reach(across) : vectors === "terms";
  return { vectors, termsFirst };
}

/** The last axes of more than one element, as far as they go on evenly: how far from one to the next, and how many there are. */
function evenRun(axes: readonly Axis[]): { stride: number; count: number; outer: readonly Axis[] } {
  const own = axes.filter(({ size }) => size > 1);
  let { stride, size: count } = own.pop() ?? { stride: 1, size: 1 };
  if (own.length === 0 && count === 1) stride = 1;
  while (own.length > 0 && own[own.length - 1].stride === stride * count) count *= own.pop()!.size;
  return { stride, count, outer: own };
}

/** Whether every four elements along `along`, from a multiple of four on, are a vector of memory. */
function fitVectors(along: readonly Axis[], others: readonly Axis[]): boolean {
  const { stride, count, outer } = evenRun(along);
  return stride === 1 && count % 4 === 0 &&
    [...outer, ...others].every((axis) => axis.size === 1 || axis.stride % 4 === 0);
}

/** How many elements follow each other, by how close they lie. */
function reach(axes: readonly Axis[]): number {
  const { stride, count } = evenRun(axes);
  return stride === 0 ? count : count / Math.abs(stride);
}

/** `fn a_terms`: four terms of four rows, from `term` on; 0 from `end` on. */
export function leftTerms(vectors: Vectors): string {
  const own = "a_terms(rows: vec4u, k: vec3u, term: u32, end: u32)";
  if (vectors === "terms") return turned("a", own, "rows + dot(k, K[2].yzw)");
  const at = "rows + dot(at, K[2].yzw)";
  return vectors === "across" ? termByTerm(own, `a_vector((${at}).x / 4u)`) : [
    "fn a_line(at: vec4u) -> vec4f {",
    "  return vec4f(a_element(at.x), a_element(at.y), a_element(at.z), a_element(at.w));",
    "}",
    termByTerm(own, `a_line(${at})`),
  ].join("\n");
}

/** `fn b_terms`: four terms of four places, from `term` on; 0 from `end` on, and where padding. */
export function rightTerms(vectors: Vectors): string {
  const own = "b_terms(place: Places, k: vec3u, term: u32, end: u32)";
  if (vectors === "terms") return turned("b", own, "place.at + dot(k, K[3].xyz)");
  const at = "place.at + dot(at, K[3].xyz)";
  return vectors === "across" ? termByTerm(own, `b_vector((${at}).x / 4u)`) : [
    "fn b_line(at: vec4u, open: vec4<bool>) -> vec4f {",
    "  let inside = select(vec4u(0u), at, open);",
    "  let line = vec4f(b_element(inside.x), b_element(inside.y), b_element(inside.z), b_element(inside.w));",
    "  return select(vec4f(0.0), line, open);",
    "}",
    termByTerm(own, `b_line(${at}, guards_at(guards_in(place.guards, at.x, at.y), at.z))`),
  ].join("\n");
}

/** A block of four vectors of terms, at these four addresses: a sum is cut between such vectors. */
function turned(name: "a" | "b", own: string, at: string): string {
  const vector = (axis: string) => `${name}_vector(at.${axis})`;
  return [
    `fn ${own} -> mat4x4f {`,
    "  if (term >= end) {",
    "    return mat4x4f();",
    "  }",
    `  let at = (${at}) / 4u;`,
    `  return transpose(mat4x4f(${[..."xyzw"].map(vector).join(", ")}));`,
    "}",
  ].join("\n");
}

/** A block whose terms are brought one by one: `line` is what lies across, at term `at`. */
function termByTerm(own: string, line: string): string {
  return [
    `fn ${own} -> mat4x4f {`,
    "  var lines = mat4x4f();",
    "  var at = k;",
    ...[0, 1, 2, 3].flatMap((d) => [
      ...(d > 0 ? ["  at = advance(at, vec3u(0u, 0u, 1u));"] : []),
      `  if (term + ${d}u < end) {`,
      `    lines[${d}] = ${line};`,
      "  }",
    ]),
    "  return lines;",
    "}",
  ].join("\n");
}
