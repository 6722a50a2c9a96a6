import { assertAlmostEquals, assertEquals } from "@std/assert";
import { finish, launch, mpiTest } from "./launch.ts";

type Numbers = Readonly<Record<string, unknown>>;

async function run(n: number, bs: number): Promise<{ results: Numbers[]; csv: string }> {
  const dir = await Deno.makeTempDir();
  try {
    const { code, stderr } = await finish(launch(n, "rank_policies.ts", [dir, String(bs)]));
    assertEquals(code, 0, stderr);
    const pictures = [...Deno.readDirSync(dir)].map((f) => f.name).filter((name) => name.endsWith(".svg"));
    assertEquals(pictures, ["loss_0.svg"], "one process draws");
    const texts = Array.from({ length: n }, (_, r) => Deno.readTextFileSync(`${dir}/${r}.json`));
    return { results: texts.map((t) => JSON.parse(t)), csv: await Deno.readTextFile(`${dir}/history.csv`) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Compares numbers wherever they are; sums of gradients come in another order. */
function same(a: unknown, b: unknown, where: string): void {
  if (typeof a === "number" && typeof b === "number") {
    return assertAlmostEquals(b, a, 5e-5 * Math.max(1, Math.abs(a)), where);
  }
  if (typeof a !== "object" || a === null) return assertEquals(b, a, where);
  const [p, q] = [Object.entries(a), Object.entries(b as object)];
  assertEquals(q.length, p.length, where);
  p.forEach(([key, value], i) => same(value, q[i][1], `${where}.${key}`));
}

mpiTest("policies, trackers, metrics, files and predictions of 2 ranks are those of one process", async () => {
  const one = await run(1, 32), two = await run(2, 16);
  assertEquals(two.results[1], two.results[0], "ranks agree bit for bit");
  same(one.results[0], two.results[0], "result");
  assertEquals(two.csv.split("\n").length, one.csv.split("\n").length, "one process writes the rows");
});
