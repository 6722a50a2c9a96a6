/**
 * Network namespaces that stand for hosts, joined by virtual cables and a bridge: what goes from one to another goes
 * through the kernel's TCP stack and can be counted and narrowed. Needs root.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";

/** Some hosts. */
export interface Hosts {
  /** What the launcher is told beside the number of processes: one process a host. */
  readonly launcherArgs: readonly string[];
  /** Environment of the launcher: MPICH (by way of UCX) must not find the shortcut through shared memory. */
  readonly env: Readonly<Record<string, string>>;
  /** Bytes that host `i` has sent. */
  sent(i: number): Promise<number>;
  /** Limits what each host sends to `mbit` Mbit/s. */
  narrow(mbit: number): Promise<void>;
  /** Takes everything down. */
  close(): Promise<void>;
}

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${text.decode(stderr).trim()}`);
  return text.decode(stdout);
}

/** Whether this kernel and user may have them: a namespace and a cable are made and removed. */
export async function hostsPossible(): Promise<string | null> {
  const name = `an${Deno.pid}t`;
  try {
    await run("ip", "netns", "add", name);
    try {
      await run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
    } finally {
      await run("ip", "netns", "del", name);
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Starts the switch that delays, with these ports. */
async function startRelay(delayMs: number, ports: readonly string[]): Promise<Deno.ChildProcess> {
  const script = fromFileUrl(new URL("slow_switch.ts", import.meta.url));
  const args = ["run", "-A", "--no-prompt", script, String(delayMs), ...ports];
  const relay = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
  const reader = relay.stdout.getReader();
  const { done } = await reader.read();
  reader.releaseLock();
  if (done) throw new Error("the switch did not start");
  return relay;
}

let made = 0;

/** What joins the hosts. */
export interface Cabling {
  /** Milliseconds that everything takes from one host to another; by default as good as none. */
  readonly delayMs?: number;
}

/** Makes `n` hosts. */
export async function openHosts(n: number, { delayMs = 0 }: Cabling = {}): Promise<Hosts> {
  const id = `an${Deno.pid % 100000}x${made}`; // the kernel takes its time to forget a cable's name
  const net = `10.77.${(Deno.pid + made++) % 250}`;
  const names = Array.from({ length: n }, (_, i) => `${id}h${i}`);
  const bridge = `${id}br`;
  let relay: Deno.ChildProcess | null = null;
  const dir = await Deno.makeTempDir();
  const close = async () => {
    relay?.kill("SIGKILL");
    await relay?.status;
    for (const [i, name] of names.entries()) {
      await run("ip", "link", "del", `${id}c${i}`).catch(() => {});
      await run("ip", "netns", "del", name).catch(() => {});
    }
    await run("ip", "link", "del", bridge).catch(() => {});
    await Deno.remove(dir, { recursive: true }).catch(() => {});
  };
  try {
    if (delayMs > 0) relay = await startRelay(delayMs, [bridge, ...names.map((_, i) => `${id}c${i}`)]);
    else await run("ip", "link", "add", bridge, "type", "bridge");
    await run("ip", "addr", "add", `${net}.1/24`, "dev", bridge);
    await run("ip", "link", "set", bridge, "up");
    for (const [i, name] of names.entries()) {
      const cable = `${id}c${i}`;
      await run("ip", "netns", "add", name);
      if (delayMs > 0) {
        await run("ip", "link", "set", cable, "netns", name, "name", "eth0");
      } else {
        await run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name);
        await run("ip", "link", "set", cable, "master", bridge, "up");
      }
      await run("ip", "-n", name, "addr", "add", `${net}.${i + 2}/24`, "dev", "eth0");
      await run("ip", "-n", name, "link", "set", "eth0", "up");
      await run("ip", "-n", name, "link", "set", "lo", "up");
    }
    // what ssh is between real hosts: the launcher calls it with a host and a command
    const shell = `${dir}/shell`;
    const script = `#!/bin/sh\nhost=$1; shift\ni=$(( \${host##*.} - 2 ))\n` +
      `exec ip netns exec ${id}h$i unshare --uts sh -c "hostname host$i; $*"\n`;
    await Deno.writeTextFile(shell, script, { mode: 0o755 });
    const list = names.map((_, i) => `${net}.${i + 2}`).join(",");
    return {
      launcherArgs: ["-launcher", "rsh", "-launcher-exec", shell, "-localhost", `${net}.1`, "-hosts", list],
      env: { UCX_TLS: "tcp,self" },
      sent: async (i) => {
        const [{ stats64 }] = JSON.parse(await run("ip", "-j", "-s", "-n", names[i], "link", "show", "eth0"));
        return stats64.tx.bytes;
      },
      narrow: async (mbit) => {
        for (const name of names) {
          const rule = ["root", "tbf", "rate", `${mbit}mbit`, "burst", "128kb", "latency", "500ms"];
          await run("ip", "netns", "exec", name, "tc", "qdisc", "replace", "dev", "eth0", ...rule);
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
