/**
 * Text of how a thread reads four windows: one after the other in memory, every other one, or anywhere.
 *
 * @module
 */
import type { ConvKernel } from "../../contract.ts";

/** How the windows of four neighbouring places lie: `flat` quads go on into the next row of places, others do not. */
export type WindowLayout = "next" | "second" | "flat";

/** Rows of places shorter than this are not worth quads of their own. */
const SHORTEST_ROW = 3;

/** The layout for `kernel`. */
export function windowLayout({ b, n }: ConvKernel): WindowLayout {
  if (n[n.length - 1] < SHORTEST_ROW) return "flat";
  const step = b.strides[b.strides.length - 1];
  return step === 1 ? "next" : step === 2 ? "second" : "flat";
}

const ROWS = `struct Places {
  at: u32,
  guards: Guards,
}
fn places(g: u32, quad: u32) -> Places {
  let row = quotient(quad, K[2].y);
  let n0 = quotient(row, K[1].z);
  let n1 = row - n0 * K[1].z;
  let n2 = 4u * (quad - row * K[2].y);
  let at = b_base(g) + n0 * K[4].x + n1 * K[4].y + n2 * K[4].z;
  return Places(at, guards_of(g, vec4u(n0), vec4u(n1), vec4u(n2) + vec4u(0u, 1u, 2u, 3u)));
}`;

// what lies outside the buffer is padding, or beyond a row's end: WGSL gives some number, and nobody uses it
const NEXT = `${ROWS}
fn b_line(at: u32, open: vec4<bool>) -> vec4f {
  return select(vec4f(0.0), vec4f(b_element(at), b_element(at + 1u), b_element(at + 2u), b_element(at + 3u)), open);
}`;

// seven neighbours, of which CPUs load four at once
const SECOND = `${ROWS}
fn b_line(at: u32, open: vec4<bool>) -> vec4f {
  let low = vec4f(b_element(at), b_element(at + 1u), b_element(at + 2u), b_element(at + 3u));
  let high = vec4f(b_element(at + 4u), b_element(at + 5u), b_element(at + 6u), b_element(at + 7u));
  return select(vec4f(0.0), vec4f(low.xz, high.xz), open);
}`;

const FLAT = `struct Places {
  at: vec4u,
  guards: Guards,
}
fn places(g: u32, quad: u32) -> Places {
  let all = min(vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u), vec4u(K[0].y - 1u));
  let n2 = all % K[1].w;
  let rest = all / K[1].w;
  let n1 = rest % K[1].z;
  let n0 = rest / K[1].z;
  let at = vec4u(b_base(g)) + n0 * K[4].x + n1 * K[4].y + n2 * K[4].z;
  return Places(at, guards_of(g, n0, n1, n2));
}
fn b_line(at: vec4u, open: vec4<bool>) -> vec4f {
  return select(vec4f(0.0), vec4f(b_element(at.x), b_element(at.y), b_element(at.z), b_element(at.w)), open);
}`;

/** `struct Places` with `places` and `b_line`, as `shaders/conv_uniform.wgsl` has them. */
export const WINDOWS: Readonly<Record<WindowLayout, string>> = { next: NEXT, second: SECOND, flat: FLAT };
