/**
 * Keeps a driver from compiling kernels again and again.
 *
 * Mesa's software adapter specializes a shader by uniforms that decide how often a loop runs, each time it is dispatched:
 * 2 to 5 ms for a kernel that takes 0.5 ms. What comes from a built-in as well is not seen through, and the third
 * coordinate of a workgroup is 0 in all our grids.
 *
 * @module
 */

const DECLARATION = /var<uniform> K: array<vec4u, (\d+)>;/;
const MAIN = /fn main\(@builtin\(workgroup_id\) group: vec3u[^{]*\{\n/;

/** `text` with constants of which no compiler knows that they are uniforms. */
export function opaqueConstants(text: string): string {
  const vectors = Number(DECLARATION.exec(text)?.[1] ?? 0);
  const copies = Array.from({ length: vectors }, (_, i) => `  K[${i}] = uniform_K[${i}] + vec4u(group.z);\n`).join("");
  return text
    .replace(
      DECLARATION,
      `var<uniform> uniform_K: array<vec4u, ${vectors}>;\nvar<private> K: array<vec4u, ${vectors}>;`,
    )
    .replace(MAIN, (head) => head + copies);
}
