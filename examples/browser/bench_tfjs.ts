import { open, subjectOf } from "../../bench/peers/tfjs.ts";
import { serveContender } from "./bench_worker.ts";

const wasmFile = (name: string): string => new URL(`/bench/wasm/${name}`, globalThis.location.href).href;
serveContender({ open: (device) => open(device === "cpu" ? "wasm" : "webgpu", wasmFile), subjectOf });
