/**
 * Failure detection: every process keeps a connection to rank 0, which the operating system closes when a process dies,
 * however busy it or the others are. It carries no data of the run, only which process has died.
 *
 * @module
 */
import type { Worker } from "node:worker_threads";

/** Words in memory shared with the watching thread. */
const DEAD = 0, PORT = 1, READY = 2, WORDS = 4;
/** Longest wait for the connections, in milliseconds. */
const PATIENCE_MS = 10000;

/**
 * The source of the watching thread, as text, since workers of a published module have no file of their own. Rank 0 listens
 * and tells the others which process has died; they connect to the first of its addresses that answers. Both sides send a
 * heartbeat each second; 15 seconds without one count as death (a machine that lost power closes no connection).
 */
const WATCHER = `
import net from "node:net";
import { parentPort, workerData } from "node:worker_threads";
const { words, rank, size } = workerData;
const SILENCE = 15000;
const set = (i, v) => { Atomics.store(words, i, v); Atomics.notify(words, i); };
const lost = (r) => Atomics.compareExchange(words, ${DEAD}, 0, r + 1);
const peers = new Map();
const beat = (socket, gone) => {
  let last = performance.now();
  socket.setNoDelay(true);
  socket.on("data", () => last = performance.now());
  const timer = setInterval(() => {
    if (performance.now() - last > SILENCE) socket.destroy();
    else socket.write(".");
  }, 1000);
  socket.on("error", () => {});
  socket.on("close", () => { clearInterval(timer); gone(); });
};
const serve = (token) => {
  const server = net.createServer((socket) => {
    let hello = "";
    socket.on("error", () => {});
    const greet = (data) => {
      hello += data;
      if (!hello.includes("\\n")) return hello.length > 200 ? socket.destroy() : undefined;
      socket.off("data", greet);
      const [theirs, r] = hello.split("\\n")[0].split(" ");
      if (theirs !== token || !(r > 0 && r < size) || peers.has(Number(r))) return socket.destroy();
      peers.set(Number(r), socket);
      socket.write("+\\n");
      beat(socket, () => {
        if (lost(Number(r)) !== 0) return;
        for (const other of peers.values()) if (other !== socket) other.write("!" + r + "\\n");
      });
      if (peers.size === size - 1) set(${READY}, 1);
    };
    socket.on("data", greet);
  });
  server.on("error", () => set(${PORT}, -1));
  server.listen(0, () => set(${PORT}, server.address().port));
};
const connect = (token, hosts, port) => {
  let won = false, open = hosts.length;
  for (const host of hosts) {
    const socket = net.connect({ host, port });
    let text = "";
    const fail = () => { if (--open === 0 && !won) set(${READY}, -1); };
    socket.on("error", () => {});
    socket.once("close", fail);
    socket.once("connect", () => won ? socket.destroy() : socket.write(token + " " + rank + "\\n"));
    socket.on("data", (data) => {
      text += data;
      if (!won && text.startsWith("+")) {
        won = true;
        socket.off("close", fail);
        beat(socket, () => lost(0));
        set(${READY}, 1);
      }
      const gone = /!(\\d+)\\n/.exec(text);
      if (gone) lost(Number(gone[1]));
      if (text.length > 100) text = "";
    });
  }
};
parentPort.on("message", ({ token, hosts, port }) => rank === 0 ? serve(token) : connect(token, hosts, port));
`;

/** Where rank 0 listens, as it tells the others. */
export interface Post {
  readonly token: string;
  readonly hosts: readonly string[];
  readonly port: number;
}

/** This process's end of the watch. */
export class Watch {
  readonly #words: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  readonly #worker: Worker;

  /** Starts the thread that watches. */
  constructor(rank: number, size: number) {
    this.#worker = new (process.getBuiltinModule("node:worker_threads").Worker)(
      new URL(`data:text/javascript,${encodeURIComponent(WATCHER)}`),
      {
        workerData: { words: this.#words, rank, size },
      },
    );
    this.#worker.on("error", () => {}); // without the thread a death goes unnoticed; the run itself goes on
    this.#worker.unref(); // it does not keep a finished script alive
  }

  /** Rank 0: listens; null where that is impossible. */
  async listen(): Promise<Post | null> {
    const token = crypto.randomUUID();
    this.#worker.postMessage({ token, hosts: [], port: 0 });
    const port = await this.#word(PORT);
    return port > 0 ? { token, hosts: addresses(), port } : null;
  }

  /** The others: connect to where rank 0 listens. False where none of its addresses answers. */
  async connect(post: Post): Promise<boolean> {
    this.#worker.postMessage(post);
    return await this.#word(READY) > 0;
  }

  /** Rank 0: whether all others have connected in time. */
  async complete(): Promise<boolean> {
    return await this.#word(READY) > 0;
  }

  async #word(i: number): Promise<number> {
    const end = performance.now() + PATIENCE_MS;
    let value = Atomics.load(this.#words, i);
    while (value === 0 && performance.now() < end) {
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
      value = Atomics.load(this.#words, i);
    }
    return value;
  }

  /** Rank of the first process that died; null while all are alive. */
  get dead(): number | null {
    const word = Atomics.load(this.#words, DEAD);
    return word === 0 ? null : word - 1;
  }
}

/** Addresses at which this machine may be reached. */
function addresses(): string[] {
  const found = ["127.0.0.1"];
  if (Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" }).state === "granted") {
    for (const { address } of Deno.networkInterfaces()) {
      if (!address.startsWith("127.") && address !== "::1" && !address.startsWith("fe80")) found.push(address);
    }
  }
  if (Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state === "granted") found.push(Deno.hostname());
  return [...new Set(found)];
}
