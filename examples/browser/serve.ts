/**
 * A page that trains: MNIST with the learning-rate finder, one cycle, live curves, and a digit to draw; `/bench` compares
 * speeds. Everything is served from here.
 *
 *     deno task demo:browser --port 8420
 */
import { parseArgs } from "node:util";
import { serveDemo } from "./server.ts";

const USAGE = `Serves a page that trains a net in the browser.

Usage: deno task demo:browser [options]

  --port N    port on 127.0.0.1 (default 8420; 0 for any free one)
  --help      show this text

Example: deno task demo:browser --port 8080`;

/** The port; a bad option is one clear line and exit code 2. */
function readPort(args: string[]): number {
  try {
    const { values } = parseArgs({
      args,
      options: { port: { type: "string", default: "8420" }, help: { type: "boolean", default: false } },
    });
    if (values.help) {
      console.log(USAGE);
      Deno.exit(0);
    }
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new Error(`--port is a whole number from 0 to 65535, got ${values.port}`);
    }
    return port;
  } catch (error) {
    console.error(`${(error as Error).message.split("\n")[0]} (--help shows the options)`);
    Deno.exit(2);
  }
}

const port = readPort(Deno.args);
try {
  const server = await serveDemo({ port }), { url } = server;
  Deno.addSignalListener("SIGINT", async () => {
    setTimeout(() => Deno.exit(0), 2000); // whatever a browser still waits for
    await server[Symbol.asyncDispose](); // and the bundles with it
    Deno.exit(0);
  });
  console.log(`Open ${url} in a browser, or ${url}bench to compare speeds. Ctrl+C ends it.`);
} catch (error) {
  if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  console.error(`Cannot serve on port ${port}: it is in use, choose another one with --port, or 0 for any`);
  Deno.exit(1);
}
