/**
 * Picks functions out of the hand-written libraries, with what they call: a kernel carries only what it needs.
 *
 * @module
 */
import { MATH, TREE } from "../wgsl.gen.ts";

/** The part of a hand-written text that kernels take. */
export function section(text: string, name: string): string {
  return text.split(`// begin ${name}\n`)[1].split(`// end ${name}`)[0];
}

interface Item {
  readonly text: string;
  readonly needs: readonly string[];
}

/** Splits a library into its functions, structures and workgroup variables, by name. */
function itemsOf(text: string): Map<string, Item> {
  const found: [string, string][] = [];
  for (const part of text.split(/^(?=(?:fn|struct|var<workgroup>) )/m)) {
    const name = /^(?:fn|struct|var<workgroup>) (\w+)/.exec(part)?.[1];
    if (name !== undefined) found.push([name, part.replace(/^\/\/.*$/gm, "").trimEnd()]);
  }
  const names = found.map(([name]) => name);
  return new Map(found.map(([name, part]) => {
    const words = new Set(part.match(/\w+/g));
    return [name, { text: part, needs: names.filter((other) => other !== name && words.has(other)) }];
  }));
}

function pick(
  items: ReadonlyMap<string, Item>,
  names: Iterable<string>,
  has: (name: string) => boolean = () => false,
): string {
  const wanted = new Set<string>();
  const queue = [...names];
  while (queue.length > 0) {
    const name = queue.pop()!;
    const item = items.get(name);
    if (item === undefined || wanted.has(name)) continue;
    wanted.add(name);
    queue.push(...item.needs);
  }
  // in the library's order, so that equal sets give equal text
  return [...items].filter(([name]) => wanted.has(name) && !has(name)).map(([, item]) => item.text).join("\n");
}

const math = itemsOf(MATH);
const tree = section(TREE, "tree");
const trees = new Map(["f32", "i32", "u32"].map((type) => [type, itemsOf(treeOf(type))]));

// Integers have no NaN: the plain functions do, and no bits to look at
function treeOf(type: string): string {
  if (type === "f32") return tree;
  return tree.replace(/let ([ab])_nan = .*;/g, "let $1_nan = false;").replace(/nan_(max|min)/g, "$1")
    .replace(/f32/g, type);
}

const ALIASES: readonly [string, string][] = [["F", "f32"], ["I", "i32"], ["U", "u32"], ["B", "bool"]];

/** The types `F I U B` of generated text: scalars, or vectors of four. */
export function aliases(lanes: 1 | 4): string {
  return ALIASES.map(([name, type]) => `alias ${name} = ${lanes === 1 ? type : `vec4<${type}>`};`).join("\n");
}

/** Functions of `math.wgsl` by name, with what they call. */
export function mathFunctions(names: ReadonlySet<string>): string {
  return pick(math, names);
}

/** `text`, with the functions of `math.wgsl` that read f16 by its bits, where it calls some that it has not. */
export function withHalves(text: string): string {
  const called = ["half_at", "half_four"].filter((name) => text.includes(`${name}(`));
  return called.length === 0 ? text : text + pick(math, called, (name) => text.includes(`fn ${name}(`));
}

/** Functions of `tree.wgsl` by name (`tree_sum_i32`), with what they call. */
export function treeFunctions(names: ReadonlySet<string>): string {
  return [...trees.values()].map((items) => pick(items, names)).filter((text) => text !== "").join("\n");
}
