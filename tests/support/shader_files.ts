/**
 * The files of `shaders/`, and what their headers say.
 *
 * @module
 */

const folder = new URL("../../shaders/", import.meta.url);

/** A file, and the override sets that its header declares: `// variants WG=8|32 INDEX_BYTES=1|4`. */
export interface ShaderFile {
  readonly name: string;
  readonly text: string;
  readonly variants: readonly Readonly<Record<string, number>>[];
  readonly entryPoints: readonly string[];
}

/** All files, by name. */
export function shaderFiles(): ShaderFile[] {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".wgsl")).sort();
  return names.map((name) => {
    const text = Deno.readTextFileSync(new URL(name, folder));
    const entryPoints = [...text.matchAll(/@compute[^{]*\nfn (\w+)/g)].map(([, entryPoint]) => entryPoint);
    return { name, text, variants: variantsOf(text), entryPoints };
  });
}

function variantsOf(text: string): Record<string, number>[] {
  const declared = /^\/\/ variants (.*)$/m.exec(text)?.[1] ?? "";
  return declared.split(" ").filter((part) => part !== "").reduce<Record<string, number>[]>((sets, part) => {
    const [name, values] = part.split("=");
    return sets.flatMap((set) => values.split("|").map((value) => ({ ...set, [name]: Number(value) })));
  }, [{}]);
}
