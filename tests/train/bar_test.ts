/**
 * Progress as text.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { silentLogger } from "../../src/train/mod.ts";
import { barText } from "../../src/train/bar.ts";
import { Callback } from "../../src/train/mod.ts";
import { synthLearner } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";

Deno.test("the bar fits every width, and tells the most important as long as there is room", () => {
  const told = ["123456/200000", "loss 0.1234", "1:02:03 left"];
  const at = (columns: number) => barText("Epoch 100/100 valid", 123456 / 200000, told, columns);
  for (let columns = 1; columns <= 200; columns++) assert(at(columns).length < Math.max(2, columns), `${columns}`);
  assertEquals(
    at(100),
    "Epoch 100/100 valid |███████████████████░░░░░░░░░░░| 123456/200000 loss 0.1234 1:02:03 left",
  );
  assertEquals(at(80), "Epoch 100/100 valid |███████████░░░░░░░| 123456/200000 loss 0.1234 1:02:03 left");
  assertEquals(at(60), "Epoch 100/100 valid |███████░░░░| 123456/200000 loss 0.1234");
  assertEquals(at(50), "Epoch 100/100 valid |████████░░░░░| 123456/200000");
  assertEquals(at(40), "Epoch 100/100 valid 123456/200000");
  assertEquals(at(12), "Epoch 100/1");
  assertEquals(barText("x", 0, ["0/1"], 80), `x |${"░".repeat(30)}| 0/1`);
  assertEquals(barText("x", 1, ["1/1"], 80), `x |${"█".repeat(30)}| 1/1`);
});

onDevices("a fit's bar fits the logger's columns", async () => {
  const shown: string[] = [];
  class Slow extends Callback {
    override async afterLoss(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 110)); // longer than from one drawing to the next
    }
  }
  const logger = { ...silentLogger, columns: 50, status: (text: string) => void shown.push(text) };
  const learn = synthLearner({ seed: 1, nTrain: 4, nValid: 1, logger });
  await learn.fit(1, { cbs: new Slow() });
  const drawn = shown.filter((text) => text !== "");
  assert(drawn.length >= 4 && drawn.every((text) => text.length < 50 && text.includes("|")), drawn.join("\n"));
}, { kinds: ["cpu"] });
