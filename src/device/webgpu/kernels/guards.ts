/**
 * Text of a convolution's guards: each is summed up once for the places of a thread, once for the outer axes of the terms,
 * and compared once a term, with one unsigned comparison for both ends.
 *
 * @module
 */
import type { Guard } from "../../contract.ts";
import type { Words } from "./words.ts";

/** Where the guards' strides are named. */
export interface GuardsOptions {
  readonly words: Words;
  /** Number of axes of the terms and of the places. */
  readonly kDepth: number;
  readonly nDepth: number;
}

/** `struct Guards` with `guards_of`, `guards_in` and `guards_at`, as the heads of `shaders/conv_*.wgsl` say. */
export function guardsText(guards: readonly Guard[], { words, kDepth, nDepth }: GuardsOptions): string {
  const parts = guards.map(({ offset, strides, size }, i) => {
    const named = (stride: number, name: string) => stride === 0 ? [] : [`${name} * ${words.add(stride)}`];
    const [g, ...rest] = strides;
    const axes = (values: readonly number[], name: string) =>
      values.flatMap((stride, axis) => named(stride, `${name}${axis + 3 - values.length}`));
    const k = rest.slice(0, kDepth);
    const first = [words.add(offset), ...named(g, "g")].join(" + ");
    return {
      name: `f${i}`,
      size: `vec4u(${words.add(size)})`,
      start: [`vec4u(${first})`, ...axes(rest.slice(kDepth, kDepth + nDepth), "n")].join(" + "),
      outer: axes(k.slice(0, -1).concat(0), "k").join(" + "),
      inner: named(k[k.length - 1], "k2").join(""),
    };
  });
  // those that the last axis of the terms does not move are compared outside its loop
  const [moving, still] = [parts.filter(({ inner }) => inner !== ""), parts.filter(({ inner }) => inner === "")];
  const at = ({ name, outer }: { name: string; outer: string }) =>
    outer === "" ? `guards.${name}` : `guards.${name} + vec4u(${outer})`;
  const all = (tests: readonly string[]) => tests.length === 0 ? "guards.open" : `guards.open & ${tests.join(" & ")}`;
  const inside = all(still.map((part) => `(${at(part)} < ${part.size})`));
  return [
    "struct Guards {",
    "  open: vec4<bool>,",
    ...parts.map(({ name }) => `  ${name}: vec4u,`),
    "}",
    "fn guards_of(g: u32, n0: vec4u, n1: vec4u, n2: vec4u) -> Guards {",
    `  return Guards(${["vec4<bool>(true)", ...parts.map(({ start }) => start)].join(", ")});`,
    "}",
    "fn guards_in(guards: Guards, k0: u32, k1: u32) -> Guards {",
    `  return Guards(${
      [inside, ...parts.map((part) => part.inner === "" ? `guards.${part.name}` : at(part))].join(", ")
    });`,
    "}",
    "fn guards_at(guards: Guards, k2: u32) -> vec4<bool> {",
    `  return ${all(moving.map(({ name, size, inner }) => `(guards.${name} + vec4u(${inner}) < ${size})`))};`,
    "}",
  ].join("\n");
}
