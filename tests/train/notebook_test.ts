/**
 * Output in notebooks, as the messages that the kernel gets.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Broadcast, notebook, notebookLogger } from "../../src/train/notebook.ts";
import type { Logger } from "../../src/train/mod.ts";
import { synthLearner } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";

interface Sent {
  readonly kind: string;
  readonly text: string;
  readonly html: string;
  readonly id: string;
}

/** A logger that writes to a list; each message takes a while to be sent. */
function fake(): { logger: Logger; sent: Sent[] } {
  const sent: Sent[] = [];
  const broadcast: Broadcast = async (kind, content) => {
    await new Promise((resolve) => setTimeout(resolve, sent.length % 3));
    const of = (path: string[]) =>
      String(path.reduce<unknown>((o, key) => (o as Record<string, unknown> | undefined)?.[key], content) ?? "");
    const text = of(["text"]) + of(["data", "text/plain"]);
    sent.push({ kind, text, html: of(["data", "text/html"]), id: of(["transient", "display_id"]) });
  };
  return { logger: notebookLogger(broadcast), sent };
}

Deno.test("outside of the kernel there is no notebook", () => assertEquals(notebook(), null));

onDevices("a fit in a notebook is one table, redrawn in place, whole when the fit is over", async () => {
  const { logger, sent } = fake();
  const learn = synthLearner({ seed: 1, logger });
  await learn.fit(2);
  assertEquals(sent[0].kind, "display_data");
  assert(sent.slice(1).every((m) => m.kind === "update_display_data" && m.id === sent[0].id));
  assert(sent[0].html.includes("<th>train_loss</th>"));
  const last = sent.at(-1)!;
  assertEquals(last.html.match(/<tr>/g)?.length, 3);
  assert(!last.html.includes("<progress"));
  assert(last.html.includes(`<td>${learn.recorder.validLoss.toFixed(6)}</td>`));
  assertEquals(last.text.split("\n").length, 3);
  const before = sent.length;
  await learn.fit(1);
  assertEquals(sent[before].kind, "display_data"); // another fit, another table
  await learn.lrFind(); // shows nothing
  learn.showTrainingLoop();
  await logger.flush?.();
  assertEquals(sent.filter((m) => m.kind === "stream").length, 1);
}, { kinds: ["reference"] });

onDevices("the bar in a notebook says how far the epoch is", async () => {
  const { logger, sent } = fake();
  const learn = synthLearner({ seed: 1, logger, nTrain: 400 });
  await learn.fit(1);
  const bars = sent.map((m) => /<progress value="([\d.]+)" max="1"/.exec(m.html)?.[1]).filter((v) => v !== undefined);
  assert(bars.length > 0);
  bars.forEach((v, i) => assert(Number(v) > (i === 0 ? 0 : Number(bars[i - 1])) || Number(v) <= 1));
  const texts = sent.map((m) => m.html).filter((h) => h.includes("<progress"));
  assert(texts.every((h) => /Epoch 1\/1 (valid )?\d+\/\d+/.test(h)), texts[0]);
}, { kinds: ["reference"] });

onDevices("a recorder shows its rows as a table; names are no HTML", async () => {
  const learn = synthLearner({ seed: 1, logger: { line: () => {} }, metrics: [named] });
  await learn.fit(1);
  const show = learn.recorder[Symbol.for("Jupyter.display") as unknown as keyof typeof learn.recorder];
  const bundle = (show as unknown as () => Record<string, string>).call(learn.recorder);
  assert(bundle["text/html"].includes("&lt;b&gt;") && !bundle["text/html"].includes("<b>"), bundle["text/html"]);
}, { kinds: ["reference"] });

const named = Object.defineProperty(
  (pred: import("../../mod.ts").Tensor, y: import("../../mod.ts").Tensor) => pred.sub(y).abs().mean(),
  "name",
  { value: "<b>" },
);
