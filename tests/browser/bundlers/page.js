import { startEngine } from "@anneal/anneal/browser";
import { train } from "./step.js";

/** What was trained on the page, and in an engine. */
globalThis.trained = (async () => {
  const here = await train("here");
  const engine = await startEngine(new Worker(new URL("./train.js", import.meta.url), { type: "module" }));
  try {
    return { here, there: await engine.run("train", "there") };
  } finally {
    engine.close();
  }
})();
