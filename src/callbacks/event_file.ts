/**
 * Records of TensorBoard's event files: protocol buffers, each framed by its length and two checksums.
 *
 * @module
 * @see https://www.tensorflow.org/api_docs/python/tf/io/TFRecordWriter
 */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1;
  return n >>> 0;
});

/** CRC-32C of the bytes, rotated and offset as the frames want it, so that a checksum of checksums stays one. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A record with its frame. */
export function framed(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length + 16), view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return out;
}

/** Wire types of protocol buffers. */
const VARINT = 0, DOUBLE = 1, BYTES = 2, FLOAT = 5;

/** Writes the fields of one message. */
class Message {
  readonly #bytes: number[] = [];

  #varint(value: number): void {
    for (; value >= 128; value = Math.floor(value / 128)) this.#bytes.push((value % 128) | 128);
    this.#bytes.push(value);
  }

  #key(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  int(field: number, value: number): this {
    this.#key(field, VARINT);
    this.#varint(value);
    return this;
  }

  double(field: number, value: number): this {
    this.#key(field, DOUBLE);
    this.#bytes.push(...new Uint8Array(Float64Array.of(value).buffer)); // little-endian, as every machine that Deno runs on
    return this;
  }

  float(field: number, value: number): this {
    this.#key(field, FLOAT);
    this.#bytes.push(...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#key(field, BYTES);
    this.#varint(value.length);
    for (const byte of value) this.#bytes.push(byte);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** The record that a file begins with. */
export function versionEvent(seconds: number): Uint8Array {
  return new Message().double(1, seconds).text(3, "brain.Event:2").done();
}

/** The record of a run that goes on: what earlier files have from `step` on does not count. */
export function restartEvent(seconds: number, step: number): Uint8Array {
  return new Message().double(1, seconds).int(2, step).bytes(7, new Message().int(1, 1).done()).done();
}

/** One number a tag. */
export function scalarEvent(seconds: number, step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const summary = new Message();
  for (const [tag, value] of Object.entries(values)) {
    summary.bytes(1, new Message().text(1, tag).float(2, value).done());
  }
  return new Message().double(1, seconds).int(2, step).bytes(5, summary.done()).done();
}

/** A picture, as the bytes of a PNG file. */
export function imageEvent(
  seconds: number,
  step: number,
  tag: string,
  { png, width, height }: { readonly png: Uint8Array; readonly width: number; readonly height: number },
): Uint8Array {
  const image = new Message().int(1, height).int(2, width).int(3, 4).bytes(4, png).done();
  const value = new Message().text(1, tag).bytes(4, image).done();
  return new Message().double(1, seconds).int(2, step).bytes(5, new Message().bytes(1, value).done()).done();
}
