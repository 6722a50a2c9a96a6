import { assertEquals } from "@std/assert";
import { cellsOf, markdownOf, type Result } from "../../examples/browser/bench_table.ts";

const result = (runner: string, rates: number[], more: Partial<Result> = {}): Result => (
  { workload: "mlp64", runner, backend: "webgpu", rates, check: [2.3, 2.2], failed: "", ...more }
);
const ours = result("Anneal", [100, 200, 40]);

Deno.test("rows compare each round with ours in it", () => {
  const slower = result("other", [50, 100, 10]); // 2, 2 and 4 times
  const all = [ours, slower, result("third", [10, 10, 10])];
  assertEquals(cellsOf(ours, all), ["Anneal", "100 steps/s", "–", "40.0 to 200", "webgpu", ""]);
  assertEquals(cellsOf(slower, all), ["other", "50.0 steps/s", "2.00 x as fast", "10.0 to 100", "webgpu", ""]);
  assertEquals(cellsOf(all[2], all)[2], "10.0 x as fast");
  assertEquals(cellsOf(slower, [slower])[2], "–"); // ours failed
});

Deno.test("rows say what failed, and whose numbers are not ours", () => {
  const failed = result("other", [], { failed: "no | adapter" }), wrong = result("wrong", [50], { check: [2.3, 1.9] });
  const all = [ours, failed, wrong];
  assertEquals(cellsOf(failed, all), ["other", "–", "–", "–", "webgpu", "fails: no | adapter"]);
  assertEquals(cellsOf(wrong, all).at(-1), "its numbers differ");
  const lines = markdownOf(all, ["On a machine"]).split("\n");
  assertEquals(lines.slice(0, 2), ["On a machine", ""]);
  assertEquals(new Set(lines.slice(2).map((line) => line.replaceAll("\\|", "").split("|").length)), new Set([9]));
  assertEquals(
    lines[5],
    "| MNIST net 784-512-256-10, Adam, batch 64 | other | – | – | – | webgpu | fails: no \\| adapter |",
  );
});
