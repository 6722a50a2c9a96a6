/**
 * A server of files on this machine, which can be told to misbehave.
 *
 * @module
 */

/** What a server was asked, and how it is to answer. */
export interface FileServer {
  readonly url: string;
  /** The `range` header of every request, null where there was none. */
  readonly ranges: (string | null)[];
  /** Bytes after which each of the next answers is cut; answers after them are whole. */
  readonly cuts: number[];
  /** The file's version. */
  etag: string | null;
  /** What is sent. */
  body: Uint8Array<ArrayBuffer>;
  /** Status of every answer, instead of the file. */
  status: number | null;
  /** Whether ranges are ignored. */
  ignoresRanges: boolean;
}

/** Runs `body` with a server that offers one file under every name. */
export async function withServer(
  file: Uint8Array<ArrayBuffer>,
  body: (server: FileServer) => Promise<void>,
): Promise<void> {
  const state = { ranges: [], cuts: [], etag: '"v1"', body: file, status: null, ignoresRanges: false };
  const listener = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { ranges, cuts, etag, body, status, ignoresRanges } = server;
    const range = request.headers.get("range");
    ranges.push(range);
    if (status !== null) return new Response("no", { status });
    const valid = range !== null && !ignoresRanges && request.headers.get("if-range") === etag;
    const from = valid ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0;
    const cut = cuts.shift();
    const headers = new Headers({ "content-length": String(body.length - from) });
    if (etag !== null) headers.set("etag", etag);
    if (valid) headers.set("content-range", `bytes ${from}-${body.length - 1}/${body.length}`);
    if (cut === undefined) return new Response(body.slice(from), { status: valid ? 206 : 200, headers });
    let sent = false;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent) return new Promise((go) => setTimeout(go, 20)).then(() => controller.close());
        sent = true;
        controller.enqueue(body.slice(from, from + cut));
      },
    });
    return new Response(stream, { status: valid ? 206 : 200, headers });
  });
  const server: FileServer = { url: `http://127.0.0.1:${listener.addr.port}/set.tgz`, ...state };
  try {
    await body(server);
  } finally {
    await listener.shutdown();
  }
}
