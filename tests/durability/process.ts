/**
 * Training processes, started with limits of one's choice.
 *
 * @module
 */

const VICTIM = new URL("./victim.ts", import.meta.url).pathname;

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly text: string;
  readonly errors: string;
}

/** Runs the training script of `victim.ts`; `signal` is sent once its output matches `when`; `limit` is a shell command before it. */
export async function train(
  dir: string,
  result: string,
  { signal, when = /Going on|starting anew/, afterMs = 0, limit }: {
    readonly signal?: Deno.Signal;
    readonly when?: RegExp;
    readonly afterMs?: number;
    readonly limit?: string;
  } = {},
): Promise<Ended> {
  const own = [Deno.execPath(), "run", "-A", "--no-check", VICTIM, dir, result];
  const child = new Deno.Command(limit === undefined ? own[0] : "bash", {
    args: limit === undefined ? own.slice(1) : ["-c", `${limit}; exec "$0" "$@"`, ...own],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "", errors = "", sent = signal === undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const decoder = new TextDecoder();
  const out = (async () => {
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      if (sent || !when.test(text)) continue;
      sent = true;
      timer = setTimeout(() => child.kill(signal), afterMs);
    }
  })();
  const err = (async () => {
    for await (const chunk of child.stderr) errors += new TextDecoder().decode(chunk);
  })();
  const [{ code }] = await Promise.all([child.status, out, err]);
  clearTimeout(timer);
  return { code, text, errors };
}
