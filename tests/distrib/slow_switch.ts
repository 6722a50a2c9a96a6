/**
 * A switch for Ethernet frames that hands each on after a while: cables as long as one likes, where the kernel has no
 * `netem`. Linux, root.
 *
 * Arguments: milliseconds that a frame takes, and the names of the TAP devices that are made, one a port. Prints "ready"
 * once they are there; ends when it is killed, and the devices with it.
 *
 * @module
 */
const [delay, ...names] = Deno.args;
const delayMs = Number(delay);

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  ppoll: { parameters: ["buffer", "usize", "buffer", "usize"], result: "i32" },
});

const O_RDWR_NONBLOCK = 0o4002, TUNSETIFF = 0x400454ca, IFF_TAP = 2, IFF_NO_PI = 0x1000, POLLIN = 1;
const text = (s: string) => new TextEncoder().encode(s + "\0");

/** A device and the file behind it. */
function tap(name: string): number {
  const fd = libc.open(text("/dev/net/tun"), O_RDWR_NONBLOCK);
  const request = new Uint8Array(40);
  request.set(text(name));
  new DataView(request.buffer).setUint16(16, IFF_TAP | IFF_NO_PI, true);
  if (fd < 0 || libc.ioctl(fd, BigInt(TUNSETIFF), request) < 0) throw new Error(`Cannot make the TAP device ${name}`);
  return fd;
}

const ports = names.map(tap);
const polled = new DataView(new ArrayBuffer(ports.length * 8));
ports.forEach((fd, i) => {
  polled.setInt32(i * 8, fd, true);
  polled.setInt16(i * 8 + 4, POLLIN, true);
});
const polledBytes = new Uint8Array(polled.buffer);
const timeout = new BigInt64Array(2), timeoutBytes = new Uint8Array(timeout.buffer);

interface Frame {
  readonly due: number;
  readonly from: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Frames on their way, the oldest from `first` on. */
let waiting: Frame[] = [], first = 0;
/** Port by address. */
const table = new Map<number, number>();
const buffer = new Uint8Array(2 ** 16), view = new DataView(buffer.buffer);

function take(port: number): void {
  for (;;) {
    const n = Number(libc.read(ports[port], buffer, BigInt(buffer.length)));
    if (n < 14) return;
    table.set(view.getUint16(6) * 2 ** 32 + view.getUint32(8), port);
    waiting.push({ due: performance.now() + delayMs, from: port, bytes: buffer.slice(0, n) });
  }
}

function handOn({ from, bytes }: Frame): void {
  const target = new DataView(bytes.buffer);
  const known = table.get(target.getUint16(0) * 2 ** 32 + target.getUint32(2));
  for (const [port, fd] of ports.entries()) {
    // to everybody where the address is unknown, or everybody's
    if (port !== from && (known === undefined || known === port)) libc.write(fd, bytes, BigInt(bytes.length));
  }
}

console.log("ready");
for (;;) {
  const wait = first < waiting.length ? Math.max(waiting[first].due - performance.now(), 0) : 1000;
  timeout[0] = BigInt(Math.floor(wait / 1000));
  timeout[1] = BigInt(Math.round(wait % 1000 * 1e6));
  libc.ppoll(polledBytes, BigInt(ports.length), timeoutBytes, 0n);
  ports.forEach((_, port) => take(port));
  for (const now = performance.now(); first < waiting.length && waiting[first].due <= now; first++) {
    handOn(waiting[first]);
  }
  if (first > 1000) [waiting, first] = [waiting.slice(first), 0];
}
