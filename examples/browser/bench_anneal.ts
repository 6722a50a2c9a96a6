import { subjectOf } from "../../bench/anneal.ts";
import { init } from "../../src/entry/core.ts";
import { serveContender } from "./bench_worker.ts";

serveContender({
  open: async (device) => {
    const { name } = await init({ device });
    return device === "cpu" ? name : device; // adapters say little of themselves
  },
  subjectOf,
});
