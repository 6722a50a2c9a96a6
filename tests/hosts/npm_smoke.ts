/**
 * The package for npm on Node and Bun, from the packed file: `deno task test:npm`. It is installed into an empty folder, checked
 * by TypeScript, and run; Deno runs the same program for the bits to compare with.
 */
import { assert, assertEquals } from "@std/assert";
import { DAWN, dawnDriver, dawnIsInstalled } from "../support/dawn.ts";
import { buildNpm } from "../../tools/npm.ts";

/** Runs a command; what it prints, null where it is not there or fails. */
async function run(command: readonly string[], cwd?: string, env: Record<string, string> = {}): Promise<string> {
  const [name, ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(name, { args, cwd, env }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${command.join(" ")} failed: ${out}${error}`);
  return out;
}

const works = (command: readonly string[]) => run(command).then(() => true, () => false);
const node = await run(["node", "--version"]).catch(() => null);
const npm = node !== null && await works(["npm", "--version"]);
/** Programs that run the package; those of npx are downloaded. */
const HOSTS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["Node 20", node?.startsWith("v20.") ? ["node"] : ["npx", "--yes", "node@20"]],
  ["Node 24", node?.startsWith("v24.") ? ["node"] : ["npx", "--yes", "node@24"]],
  ["Bun", await works(["bun", "--version"]) ? ["bun"] : ["npx", "--yes", "bun"]],
];
const driver = npm && await dawnIsInstalled() ? await dawnDriver() : null;
const smoke = new URL("smoke.mjs", import.meta.url);

const TYPES = `
import { accuracy, Adam, DataLoaders, init, Learner, nn, type Tensor, tensor } from "@anneal/anneal";
import { plotLines } from "@anneal/anneal/plot";

const x: Tensor = tensor([[1, 2], [3, 4]]);
const dls = DataLoaders.fromArrays({ x, y: x, xValid: x, yValid: x }, { bs: 2 });
const learn = new Learner(dls, new nn.Linear(2, 2), { lossFunc: new nn.MSELoss(), optFunc: Adam, metrics: [accuracy] });
await init({ device: "cpu", threads: 1 });
await learn.fitOneCycle(1, { lrMax: 1e-2 });
const losses: readonly number[] = learn.recorder.rawLosses;
plotLines({ loss: losses });
// @ts-expect-error: the option is misspelt
await learn.fitOneCycle(1, { lrMx: 1e-2 });
// @ts-expect-error: no such device
await init({ device: "gpu" });
`;

let app: string | null = null;

/** A folder with the package, what it needs, and the program; made once. */
async function installed(): Promise<string> {
  if (app !== null) return app;
  app = await Deno.makeTempDir({ prefix: "anneal_npm_" });
  const packed = await buildNpm(`${app}/built`);
  await Deno.writeTextFile(`${app}/package.json`, '{ "type": "module", "private": true }');
  const also = driver === null ? [] : [DAWN.replace("npm:", "")];
  await run(["npm", "install", "--no-audit", "--no-fund", packed, "typescript@7", ...also], app);
  await Deno.copyFile(smoke, `${app}/smoke.mjs`);
  return app;
}

/** What the program says on a host. */
interface Said {
  readonly bits: string;
  readonly tests: Readonly<Record<string, boolean>>;
  readonly adapter?: string;
}

const said = new Map<string, Said>();

async function smokeOn(name: string, command: readonly string[], cwd: string, file: string): Promise<Said> {
  const known = said.get(name);
  if (known !== undefined) return known;
  const folder = await Deno.makeTempDir();
  try {
    const wanted = ["pictures", ...(driver === null || name === "Deno" ? [] : ["webgpu"])];
    const out = await run([...command, file, folder, ...wanted], cwd, { ...driver?.env });
    const result: Said = JSON.parse(out.trim().split("\n").at(-1)!);
    said.set(name, result);
    assertEquals(Object.entries(result.tests).filter(([, passed]) => !passed), []);
    assertEquals(
      Object.keys(result.tests).length,
      8 + wanted.length - 1,
      "tests of pictures, and of WebGPU where it is",
    );
    return result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const onDeno = () =>
  smokeOn("Deno", [Deno.execPath(), "run", "--allow-all", "--no-check", "--no-lock"], ".", smoke.pathname);

Deno.test({
  name: "npm: the packed package installs, and TypeScript finds its types",
  ignore: !npm,
  fn: async () => {
    const folder = await installed();
    await Deno.writeTextFile(`${folder}/types.ts`, TYPES);
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
    await run(["node", "node_modules/typescript/bin/tsc", ...options, "types.ts"], folder);
    const { dependencies, optionalDependencies } = JSON.parse(
      await Deno.readTextFile(`${folder}/node_modules/@anneal/anneal/package.json`),
    );
    assert(!("webgpu" in dependencies) && "sharp" in optionalDependencies);
  },
});

for (const [name, command] of HOSTS) {
  Deno.test({
    name: `npm: threads, files, checkpoints and pictures${driver === null ? "" : ", and WebGPU"} on ${name}`,
    ignore: !npm || !await works([...command, "--version"]),
    fn: async () => {
      const { bits } = await smokeOn(name, command, await installed(), "smoke.mjs");
      if (name === "Node 24") assertEquals(bits, (await onDeno()).bits, "the bits of Deno");
      // without a fused multiply-add the kernels are others; among such hosts the bits are the same
      else assert(bits !== (await onDeno()).bits, "no bits of a fused multiply-add");
      if (name === "Bun" && said.has("Node 20")) assertEquals(bits, said.get("Node 20")!.bits, "the bits of Node 20");
    },
  });
}

Deno.test({
  name: "npm: require() takes the package from Node 22 on",
  ignore: !npm || !await works([...HOSTS[1][1], "--version"]),
  fn: async () => {
    const folder = await installed();
    const code = `const { Learner } = require("@anneal/anneal"), core = require("@anneal/anneal/core");
      console.log(Learner === core.Learner);`;
    const out = await run([...HOSTS[1][1], "--input-type=commonjs", "--eval", code], folder);
    assertEquals(out.trim().split("\n").at(-1), "true");
  },
});

Deno.test({
  name: "npm: without Dawn, Node says how to get a WebGPU; what needs Deno is not there",
  ignore: !npm,
  fn: async () => {
    const folder = await installed();
    const code = `import { init } from "@anneal/anneal";
      await init({ device: "webgpu" }).catch((error) => console.log(error.message));
      await import("@anneal/anneal/cli").catch((error) => console.log(error.code));
      const { synthLearner } = await import("@anneal/anneal/testing"), { LivePage } = await import("@anneal/anneal/live");
      const lines = [];
      await synthLearner({ logger: { line: (text) => lines.push(text) } }).fit(1, { cbs: [new LivePage()] });
      console.log(lines.find((line) => line.includes("LivePage")));`;
    const out = await run(["node", "--input-type=module", "--eval", code], folder);
    assertEquals(out.trim().split("\n").slice(-3), [
      "Cannot open a WebGPU device: Node has no WebGPU of its own; give one: `npm install webgpu`, then init({ gpu: create([]) }) with its create()",
      "ERR_PACKAGE_PATH_NOT_EXPORTED",
      "LivePage stopped in beforeFit, and the run goes on without it: Cannot serve the live page: its server needs Deno; " +
      "elsewhere CSVLogger, JsonLines and TensorBoard write down the run",
    ]);
    await Deno.remove(folder, { recursive: true });
  },
});
