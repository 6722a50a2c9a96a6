import { serveEngine } from "../../mod.ts";
import { files } from "../../src/base/host_files.ts";
import { tryFiles } from "../support/try_files.ts";
import { train, trainSmall } from "./task.ts";

serveEngine({
  train: (task, { signal }) => train(task, signal),
  trainSmall: (task, page) => trainSmall(task, (n) => page.post(n)),
  isolated: () => (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true,
  tryFiles: (dir: string) => tryFiles(files, dir),
  /** Posts the page's next message back. */
  echo: (n: number, page) =>
    new Promise((resolve) => {
      page.onMessage((data) => {
        page.post({ heard: data });
        resolve(n);
      });
    }),
});
