import { open, subjectOf } from "../../bench/peers/jax.ts";
import { serveContender } from "./bench_worker.ts";

serveContender({ open: (device) => open(device === "cpu" ? "wasm" : "webgpu"), subjectOf });
