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

/**
 * `text` with constants that the compiler does not recognize as uniforms.
 *
 * In `main` they are values, whose uniformity compilers follow: a barrier may stand behind a branch or in a loop that depends on
 * them. Other functions read them from a private variable, which counts as different in each thread: they hold no barrier that
 * depends on a constant.
 */
export function hideConstants(text: string): string {
  const vectors = Number(DECLARATION.exec(text)?.[1] ?? 0);
  const main = MAIN.exec(text)?.[0];
  if (vectors === 0 || main === undefined) return text;
  const all = Array.from({ length: vectors }, (_, i) => i);
  const [before, after] = text.split(main);
  const shared = /\bK\[/.test(before) || /^}[^]*\bK\[/m.test(after);
  const uniforms = `var<uniform> uniform_K: array<vec4u, ${vectors}>;`;
  const hidden = all.map((i) => `uniform_K[${i}] + vec4u(group.z)`);
  return text
    .replace(DECLARATION, shared ? `${uniforms}\nvar<private> K: array<vec4u, ${vectors}>;` : uniforms)
    .replace(
      main,
      () =>
        `${main}${shared ? all.map((i) => `  K[${i}] = ${hidden[i]};\n`).join("") : ""}` +
        `  let K = array<vec4u, ${vectors}>(${hidden.join(", ")});\n`,
    );
}
