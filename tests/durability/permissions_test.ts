/**
 * Each row of the README's table of permissions is tried: with its flags it does what it says, without asking, and without
 * one of them it says which is missing.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { finish, INSTALLED, launch } from "../distrib/launch.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const script = new URL("./permitted.ts", import.meta.url).pathname;

/** Deno's folder of packages. */
async function cacheFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(decode(stdout)).denoDir;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

async function run(flags: readonly string[], ...args: string[]): Promise<Ran> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", ...flags, script, ...args],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  return { code, out: decode(stdout), errors: decode(stderr) };
}

/** The table: what for, and the cell of flags. */
async function rowsOfReadme(): Promise<Map<string, string>> {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const section = readme.slice(readme.indexOf("## Permissions"));
  const table = section.split("\n").filter((line, i, all) =>
    line.startsWith("|") && i < all.findIndex((l, k) => k > 4 && !l.startsWith("|"))
  );
  return new Map(
    table.slice(2).map((line) => {
      const [, what, flags] = line.split("|").map((cell) => cell.trim());
      return [what, flags];
    }),
  );
}

/** The flags in a cell; folders are put in where it speaks of them. */
function flagsOf(cell: string, { read, write }: { read: readonly string[]; write: string }): string[] {
  return [...cell.matchAll(/--allow-[a-z]+(=[^\s`]+)?/g)].map(([flag]) => {
    if (!cell.includes("folder")) return flag;
    if (flag === "--allow-read") return `--allow-read=${read.join(",")}`;
    return flag === "--allow-write" ? `--allow-write=${write}` : flag;
  });
}

const rows = await rowsOfReadme();
const cache = await cacheFolder();

/** What a row reads and writes besides what it is about. */
const BESIDES: Readonly<Record<string, (dir: string) => string[]>> = {
  "PNG and photographs (native code)": (dir) => [`--allow-write=${dir}`],
  "downloads of data sets and weights": (dir) => [`--allow-read=${dir}`, `--allow-write=${dir}`],
  "several processes, over MPI": () => ["--allow-read"], // of the MPI library
};

for (const [what, cell] of rows) {
  const mpi = what.includes("MPI");
  const ignore = mpi && !INSTALLED.mpich;
  Deno.test({
    name: `the README's permissions suffice for ${what}, and are needed${ignore ? " (no MPI here)" : ""}`,
    ignore,
    fn: async () => {
      const dir = await Deno.makeTempDir();
      const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("bytes"));
      const address = `http://127.0.0.1:${server.addr.port}/`;
      try {
        const flags = flagsOf(cell, { read: [cache, dir], write: dir });
        const besides = BESIDES[what]?.(dir) ?? [];
        const start = async (flags: readonly string[]): Promise<Ran> => {
          if (!mpi) return await run(flags, what, dir, address);
          const ended = await finish(launch(2, "../durability/permitted.ts", [what, dir], { flags }));
          return { code: ended.code, out: ended.stdout, errors: ended.stderr };
        };
        const granted = await start([...flags, ...besides]);
        assertEquals(granted.code, 0, granted.errors);
        assertEquals(granted.out.split("\n").filter((line) => line === "done").length, mpi ? 2 : 1, granted.out);
        assert(
          !/prompt|Granted|NotCapable|stopped in/.test(granted.out + granted.errors),
          granted.out + granted.errors,
        );
        if (flags.length === 0) return;
        // what is not granted is said to be missing, or done without
        await Deno.remove(dir, { recursive: true });
        await Deno.mkdir(dir); // nothing is left to do without
        const without = await start(besides);
        const said = without.out + without.errors;
        const missing = flags.map((flag) => flag.split("=")[0].slice("--allow-".length));
        if (without.code === 0) assert(/stopped in|^CPU \(WebAssembly/m.test(said), said);
        else assert(missing.some((name) => said.includes(`${name} access`) || said.includes(`--allow-${name}`)), said);
      } finally {
        await server.shutdown();
        await Deno.remove(dir, { recursive: true });
      }
    },
  });
}

Deno.test("loadMnist() says once which flag it needs", async () => {
  const { code, errors } = await run([], "MNIST from its package, fonts for PNG", "");
  assert(code !== 0);
  assertEquals(errors.split("--allow-read=").length - 1, 1, errors);
  assert(errors.includes("ConfigError: Cannot load MNIST: its files lie in Deno's cache"), errors);
});

Deno.test("with no flags at all, a run shows its own lines and nothing else", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  const from = (path: string) => JSON.stringify(import.meta.resolve(path));
  await Deno.writeTextFile(
    file,
    `import { synthLearner } from ${from("../../testing.ts")};
    import { init } from ${from("../../mod.ts")};
    await init({ device: "cpu" });
    const learn = synthLearner({ seed: 1 });
    await learn.fit(2);
    await learn.lrFind();
    learn.recorder.plotLoss().text();`,
  );
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--config", config, file],
    stdin: "null",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals([code, decode(stderr)], [0, ""]);
  const lines = decode(stdout).trimEnd().split("\n");
  assertEquals(lines.map((line) => line.split(/ +/)[0]), ["epoch", "0", "1"], decode(stdout));
  await Deno.remove(file);
});
