/**
 * Folds of a workgroup whose last steps are taken within subgroups: by registers, without barriers.
 *
 * The tree is the same as that of `shaders/tree.wgsl`, and so are the bits: values whose numbers differ in one bit are combined, the
 * highest bit first. Of the subgroups it is asked only that `LANES` threads that follow each other lie in one, in their order, which
 * `subgroups.ts` tries when the device is opened; they may be larger, and differ from kernel to kernel.
 *
 * @module
 */

const LOOP = "for (var s = WG / 2u; s > 0u; s /= 2u) {";
const BARRIER = "  workgroupBarrier();\n  let result";

/** `text` of a kernel, with its folds through subgroups; as it is where it has none. */
export function subgroupTrees(text: string): string {
  if (!text.includes("fn tree_")) return text;
  const folded = text.replace(/fn tree_[^]*?\n}/g, (tree) => {
    const own = /(tree_\w+)\[t\] = x;/.exec(tree)![1];
    const at = /(tree_at_\w+)\[t\] = at;/.exec(tree)?.[1];
    const inside = tree.slice(tree.indexOf("if (t < s) {\n") + "if (t < s) {\n".length, tree.indexOf("\n    }\n  }\n"));
    const step = inside.replaceAll(`${own}[t + s]`, "other").replaceAll(`${own}[t]`, "own")
      .replaceAll(`${at}[t + s]`, "other_at").replaceAll(`${at}[t]`, "own_at");
    const lines = [
      "  workgroupBarrier();",
      `  var own = ${own}[t];`,
      ...(at === undefined ? [] : [`  var own_at = ${at}[t];`]),
      "  for (var s = min(LANES, WG) / 2u; s > 0u; s /= 2u) {",
      "    let other = subgroupShuffleXor(own, s);",
      ...(at === undefined ? [] : ["    let other_at = subgroupShuffleXor(own_at, s);"]),
      step.replace(/^ {2}/gm, ""),
      "  }",
      "  if (t == 0u) {",
      `    ${own}[0] = own;`,
      ...(at === undefined ? [] : [`    ${at}[0] = own_at;`]),
      "  }",
    ];
    return tree.replace(LOOP, LOOP.replace("s > 0u", "s >= min(LANES, WG)"))
      .replace(BARRIER, () => `${lines.join("\n")}\n${BARRIER}`);
  });
  return `override LANES: u32 = 4u;\n${folded}`;
}
