import { serveEngine } from "@anneal/anneal/browser";
import { train } from "./step.js";

serveEngine({ train: (dir) => train(dir) });
