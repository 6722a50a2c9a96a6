/**
 * Hides constants from the compiler, so that it does not specialize kernels by them.
 *
 * Mesa's software adapter recompiles a shader for each value of the uniforms that bound its loops: 2 to 5 ms for a kernel
 * that takes 0.5 ms. It does not track values that depend on a built-in: the constants are added to the third coordinate
 * of the workgroup, which is 0 in all our grids.
 *
 * @module
 */

const DECLARATION = /var<uniform> K: array<vec4u, (\d+)>;/;
const MAIN = /fn main\(@builtin\(workgroup_id\) group: vec3u[^{]*\{\n/;

/** `text` with constants that the compiler does not recognize as uniforms. */
export function hideConstants(text: string): string {
  const vectors = Number(DECLARATION.exec(text)?.[1] ?? 0);
  const copies = Array.from({ length: vectors }, (_, i) => `  K[${i}] = uniform_K[${i}] + vec4u(group.z);\n`).join("");
  return text
    .replace(
      DECLARATION,
      `var<uniform> uniform_K: array<vec4u, ${vectors}>;\nvar<private> K: array<vec4u, ${vectors}>;`,
    )
    .replace(MAIN, (head) => head + copies);
}
