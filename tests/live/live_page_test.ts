/**
 * The live page without a browser: what is served, and what it does to a run.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import { eventLoopTurn } from "../../src/base/turn.ts";
import { LivePage, type LivePageOptions } from "../../src/live/mod.ts";
import { Callback, type Logger, silentLogger } from "../../src/train/mod.ts";
import { synthLearner } from "../../testing.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["reference"] } as const;

/** Does something before one training batch of a run. */
class BeforeBatch extends Callback {
  constructor(readonly at: number, readonly act: () => void | Promise<void>) {
    super();
  }
  override beforeBatch(): void | Promise<void> {
    if (this.learn.training && this.learn.trainIter === this.at) return this.act();
  }
}

/** What a page would get now. Streams of a fit under way go on; only their first message is of interest here. */
async function look(page: LivePage) {
  const response = await fetch(new URL("events", page.url!));
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let found = false; !found; found = /^data: .*\n\n/m.test(text)) {
    const { value, done } = await reader.read();
    if (value !== undefined) text += value;
    if (done) break;
  }
  await reader.cancel();
  return JSON.parse(/^data: (.*)$/m.exec(text)![1]);
}

/** What a page would get once the run's status is `status`. */
async function statusIs(page: LivePage, status: string) {
  for (;;) {
    const message = await look(page);
    if (message.run.status === status) return message;
  }
}

async function command(page: LivePage, name: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(new URL("command", page.url!), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ command: name }),
  });
  await response.body?.cancel();
  return response.status;
}

async function withPage(
  body: (page: LivePage) => Promise<void>,
  options: LivePageOptions = {},
): Promise<void> {
  const page = new LivePage({ port: 0, ...options });
  try {
    await body(page);
  } finally {
    await page.close();
  }
}

Deno.test("LivePage refuses what would be unsafe or makes no sense", () => {
  const cases: LivePageOptions[] = [
    { hostname: "0.0.0.0" },
    { hostname: "192.168.1.7" },
    { token: "short" },
    { port: 70_000 },
    { port: 1.5 },
    { topLosses: -1 },
    { readEvery: 0 },
    { readEvery: NaN },
  ];
  for (const options of cases) assertThrows(() => new LivePage(options), ConfigError, "Cannot");
  new LivePage({ hostname: "0.0.0.0", token: "0123456789abcdef" });
});

onDevices("LivePage changes no number of a run", async () => {
  const plain = synthLearner({ seed: 3, logger: silentLogger });
  await plain.fit(2);
  await withPage(async (page) => {
    const watched = synthLearner({ seed: 3, logger: silentLogger, cbs: page });
    await page.start();
    const seen = look(page);
    await watched.fit(2, { cbs: new BeforeBatch(5, async () => void await look(page)) });
    assertEquals(watched.recorder.rawLosses, plain.recorder.rawLosses);
    assertEquals((await seen).full, true);
  }, { readEvery: 1e-6 });
});

onDevices("LivePage gives every viewer everything, at any time", async () => {
  await withPage(async (page) => {
    const lines: string[] = [];
    const logger: Logger = { line: (text) => lines.push(text) };
    const learn = synthLearner({ seed: 1, logger, cbs: page });
    let middle: Awaited<ReturnType<typeof look>> = null;
    await learn.lrFind();
    await learn.fitOneCycle(3, { lrMax: 0.1, cbs: new BeforeBatch(15, async () => void (middle = await look(page))) });
    assertEquals(lines[0], `Live page: ${page.url}`);
    assertEquals([middle.run.status, middle.run.epoch, middle.run.iter], ["training", 1, 5]);
    assert(middle.run.left > 0 && middle.run.pct === 0.5);
    assertEquals(middle.fits.map((f: { phase: string }) => f.phase), ["probe", "fit"]);
    assertEquals(middle.fits[1].points.losses, learn.recorder.losses.slice(0, 10)); // the first epoch's, which was read
    const end = await look(page);
    assertEquals(end.server, middle.server);
    assertEquals([end.run.status, end.run.left], ["idle", null]);
    assertEquals(end.fits[1].points.raw, learn.recorder.rawLosses);
    assertEquals(end.fits[1].points.hps.lr.values, learn.recorder.hps.lr);
    assertEquals(end.fits[1].rows, [...learn.recorder.rows]);
    assertEquals(end.finder.losses, learn.recorder.lrFinder!.losses);
    assertEquals(Object.keys(end.finder.points), ["valley"]);
    assertEquals(end.finder.suggestions, learn.recorder.lrFinder!.suggestions);
    assert(end.stats.runs > 0);
  });
}, here);

onDevices("LivePage pauses without holding the event loop, goes on, and stops", async () => {
  await withPage(async (page) => {
    const learn = synthLearner({ seed: 1, logger: silentLogger, cbs: page });
    await page.start();
    assertEquals(await command(page, "pause"), 409); // nothing runs yet
    const run = learn.fit(20_000, {
      cbs: new BeforeBatch(7, async () => assertEquals(await command(page, "pause"), 202)),
    });
    while (learn.trainIter < 7) await new Promise((r) => setTimeout(r, 1)); // timers run
    const paused = await statusIs(page, "paused"), at = learn.trainIter; // and the server answers
    assertEquals(page.paused, true);
    for (let i = 0; i < 5; i++) await eventLoopTurn();
    await new Promise((r) => setTimeout(r, 10));
    assertEquals(learn.trainIter, at);
    const later = await look(page);
    assertEquals(later.run.elapsed, paused.run.elapsed); // a pause is no time of training
    assertEquals(await command(page, "resume"), 202);
    while (learn.trainIter < at + 20) await new Promise((r) => setTimeout(r, 1));
    assertEquals(await command(page, "pause"), 202);
    assertEquals(await command(page, "stop"), 202); // also ends the pause
    await run;
    assert(learn.trainIter >= at + 20 && learn.trainIter < 200_000, `${learn.trainIter}`);
    assertEquals([page.paused, learn.running], [false, false]);
    await learn.fit(1); // what was stopped was that fit
    assertEquals(learn.trainIter, 10);
  });
}, here);

onDevices("LivePage says how a fit ended: finished, stopped, or by an error", async () => {
  await withPage(async (page) => {
    const learn = synthLearner({ seed: 1, logger: silentLogger, cbs: page });
    await page.start();
    const outcome = async () => (await look(page)).run.outcome;
    assertEquals(await outcome(), null);
    await learn.lrFind(); // ends before its epochs are over, as it should
    assertEquals(await outcome(), null);
    await learn.fit(1, { cbs: new BeforeBatch(3, async () => assertEquals(await outcome(), null)) });
    assertEquals(await outcome(), "finished");
    await learn.fit(2, { cbs: new BeforeBatch(3, () => page.stop()) });
    assertEquals(await outcome(), "stopped");
    const fails = () => {
      throw new Error("broken");
    };
    await assertRejects(() => learn.fit(2, { cbs: new BeforeBatch(3, fails) }), Error, "broken");
    assertEquals(await outcome(), "failed");
    await learn.lrFind();
    assertEquals(await outcome(), "failed");
    await learn.fit(1);
    assertEquals(await outcome(), "finished");
  });
}, here);

onDevices("LivePage forgets a fit that an error ended", async () => {
  await withPage(async (page) => {
    const learn = synthLearner({ seed: 1, logger: silentLogger, cbs: page });
    const fail = new BeforeBatch(3, () => {
      throw new Error("broken");
    });
    await assertRejects(() => learn.fit(1, { cbs: fail }), Error, "broken");
    assertEquals((await look(page)).run.status, "idle");
    page.pause();
    assertEquals(page.paused, false);
    await learn.fit(1);
  });
}, here);

onDevices("LivePage's server: policy, unknown paths, bad commands, other sites", async () => {
  await withPage(async (page) => {
    synthLearner({ seed: 1, logger: silentLogger, cbs: page });
    const url = await page.start();
    const response = await fetch(url), text = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    for (const part of ["default-src 'none'", "script-src 'sha256-", "frame-ancestors 'none'"]) {
      assert(policy.includes(part), policy);
    }
    assert(!policy.includes("unsafe"), policy);
    // w3.org names a kind of document, nothing is fetched from there
    const addresses = [...text.matchAll(/https?:\/\/[\w.]+/g)].map(([a]) => a).filter((a) => a !== "http://www.w3.org");
    assertEquals(addresses, []);
    assertEquals(await (await fetch(new URL("secret", url))).text(), "There is nothing here");
    assertEquals(await command(page, "format disk"), 400);
    assertEquals(await command(page, "x".repeat(500)), 413);
    assertEquals(await command(page, "pause", { "content-type": "text/plain" }), 415);
    assertEquals(await command(page, "pause", { origin: "http://attacker.example" }), 403);
  });
}, here);

onDevices("LivePage beyond loopback asks for its token; without controls it takes no command", async () => {
  const token = "0123456789abcdef";
  await withPage(async (page) => {
    const learn = synthLearner({ seed: 1, logger: silentLogger, cbs: page });
    const url = await page.start();
    assert(url.endsWith(`?token=${token}`), url);
    const refused = await fetch(new URL("events", url));
    assertEquals([refused.status, (await refused.text()).includes("token")], [401, true]);
    const opened = await fetch(url, { redirect: "manual" });
    await opened.body?.cancel();
    assertEquals([opened.status, opened.headers.get("location")], [303, "/"]);
    const bearer = { authorization: `Bearer ${token}` };
    let during = 0;
    await learn.fit(1, { cbs: new BeforeBatch(2, async () => void (during = await command(page, "stop", bearer))) });
    assertEquals([during, learn.trainIter], [409, 10]);
  }, { hostname: "0.0.0.0", token, controls: false });
}, here);

onDevices("LivePage says that a port is in use, and takes another where none was asked for", async () => {
  await withPage(async (first) => {
    synthLearner({ seed: 1, logger: silentLogger, cbs: first });
    const { port } = new URL(await first.start());
    const second = new LivePage({ port: Number(port) });
    const lines: string[] = [];
    const learn = synthLearner({ seed: 1, logger: { line: (text) => void lines.push(text) } });
    learn.addCb(second);
    await assertRejects(() => second.start(), ConfigError, `${port}: the port is in use`);
    await learn.fit(1); // a page that nobody sees costs no fit
    assertEquals(lines.filter((line) => line.startsWith("LivePage stopped in beforeFit")).length, 1, lines.join("\n"));
    assertEquals(learn.recorder.rows.length, 1);
    const [a, b] = [new LivePage(), new LivePage()];
    learn.removeCb(second).addCbs([a, b]);
    assertNotEquals(await a.start(), await b.start());
    await Promise.all([a.close(), b.close()]);
  });
}, here);

Deno.test("LivePage lets a script end that has pages open, and says which permission is missing", async () => {
  const script = `
    import { Callback, LivePage } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
    import { synthLearner } from ${JSON.stringify(import.meta.resolve("../../testing.ts"))};
    const page = new LivePage({ port: 0 });
    const learn = synthLearner({ seed: 1, cbs: page });
    const url = await page.start();
    let open = 0;
    class Visit extends Callback {
      async beforeTrain() {
        fetch(new URL("events", url)).then((r) => r.text()); // ends when the server ends it
        while (page.viewers === 0) await new Promise((r) => setTimeout(r, 1));
        open = page.viewers;
      }
    }
    await learn.fit(1, { cbs: new Visit() });
    if (open !== 1) throw new Error("no page was open");
    console.log("viewers", page.viewers);`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const run = (...flags: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--config", config, "--no-prompt", ...flags, "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  const end = async (process: Deno.ChildProcess) => {
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { code, stdout, stderr } = await process.output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  };
  const [ended, refused] = await Promise.all([end(run("--allow-net", "--allow-read")), end(run("--allow-read"))]);
  assertEquals([ended.code, ended.stdout.includes("viewers 0")], [0, true], ended.stderr);
  assert(refused.code === 1 && refused.stderr.includes("--allow-net=127.0.0.1"), refused.stderr);
});

Deno.test({
  name: "a paused run that has a checkpoint saves and ends on SIGINT",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const dir = await Deno.makeTempDir();
    const script = `
      import { Checkpoint, LivePage } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
      import { synthLearner } from ${JSON.stringify(import.meta.resolve("../../testing.ts"))};
      const page = new LivePage({ port: 0 });
      const learn = synthLearner({ seed: 1, cbs: page, logger: { line: () => {} } });
      const run = learn.fit(1e6, { cbs: new Checkpoint({ dir: ${JSON.stringify(dir)} }) });
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const act = async () => {
        while (learn.trainIter < 20) await wait(5);
        page.pause();
        for (let paused = false; !paused;) {
          const events = await fetch(new URL("events", page.url));
          const reader = events.body.pipeThrough(new TextDecoderStream()).getReader();
          let said = "";
          while (!/"status":"[a-z]+"/.test(said)) said += (await reader.read()).value;
          paused = said.includes('"status":"paused"');
          await reader.cancel();
        }
        const { trainIter } = learn;
        await wait(20);
        console.log(learn.trainIter === trainIter ? "paused" : "runs");
        Deno.kill(Deno.pid, "SIGINT");
      };
      act();
      await run;`;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const file = `${dir}/script.ts`;
    await Deno.writeTextFile(file, script);
    const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--config", config, file] });
    const { code, stdout, stderr } = await command.output();
    const text = new TextDecoder();
    assertEquals([text.decode(stdout).trim(), code], ["paused", 130], text.decode(stderr));
    await Deno.remove(dir, { recursive: true });
  },
});
