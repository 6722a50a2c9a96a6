/**
 * An open file of a page's origin.
 *
 * @module
 */
import type { HostFile } from "./host_files_interface.ts";

/** What is used of a `FileSystemFileHandle`. */
export interface FileHandle {
  readonly kind: "file";
  readonly name: string;
  getFile(): Promise<Blob & { readonly lastModified: number }>;
  createWritable(options: { readonly keepExistingData: boolean }): Promise<Writable>;
  /** In workers only. */
  createSyncAccessHandle?(): Promise<SyncHandle>;
  move?(folder: unknown, name: string): Promise<void>;
}

interface Writable {
  write(
    piece: { readonly type: "write"; readonly position: number; readonly data: Uint8Array<ArrayBuffer> },
  ): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Its functions gave promises in older browsers. */
interface SyncHandle {
  read(into: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  truncate(bytes: number): void | Promise<void>;
  getSize(): number | Promise<number>;
  flush(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** A file: in a worker read and written in place, on a page written to a copy that takes its place when it is closed. */
export class BrowserFile implements HostFile {
  readonly #handle: FileHandle;
  readonly #sync: SyncHandle | null;
  #writable: Writable | null;
  /** Size of what is written to a copy. */
  #size: number;
  #at = 0;

  private constructor(handle: FileHandle, sync: SyncHandle | null, writable: Writable | null, size: number) {
    this.#handle = handle;
    this.#sync = sync;
    this.#writable = writable;
    this.#size = size;
  }

  /** Opens a file; for reading alone any number of times. */
  static async open(handle: FileHandle, write: boolean): Promise<BrowserFile> {
    const { size } = await handle.getFile();
    if (!write) return new BrowserFile(handle, null, null, size);
    if (handle.createSyncAccessHandle !== undefined) {
      return new BrowserFile(handle, await handle.createSyncAccessHandle(), null, size);
    }
    return new BrowserFile(handle, null, await handle.createWritable({ keepExistingData: true }), size);
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    if (into.length === 0) return 0;
    let n: number;
    if (this.#sync !== null) n = this.#sync.read(into, { at: this.#at });
    else {
      await this.#keep();
      const bytes = await (await this.#handle.getFile()).slice(this.#at, this.#at + into.length).arrayBuffer();
      into.set(new Uint8Array(bytes));
      n = bytes.byteLength;
    }
    this.#at += n;
    return n === 0 ? null : n;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const data = bytes as Uint8Array<ArrayBuffer>;
    if (this.#sync !== null) {
      const n = this.#sync.write(data, { at: this.#at });
      if (n < data.length && n === 0) throw new DOMException("the browser gives no more room", "QuotaExceededError");
      this.#at += n;
      return n;
    }
    this.#writable ??= await this.#handle.createWritable({ keepExistingData: true });
    await this.#writable.write({ type: "write", position: this.#at, data });
    this.#at += data.length;
    this.#size = Math.max(this.#size, this.#at);
    return data.length;
  }

  seek(offset: number): Promise<void> {
    this.#at = offset;
    return Promise.resolve();
  }

  async truncate(bytes = 0): Promise<void> {
    if (this.#sync !== null) return await this.#sync.truncate(bytes);
    this.#writable ??= await this.#handle.createWritable({ keepExistingData: true });
    await this.#writable.truncate(bytes);
    this.#size = bytes;
  }

  async stat(): Promise<{ readonly size: number }> {
    return { size: this.#sync !== null ? await this.#sync.getSize() : this.#size };
  }

  async sync(): Promise<void> {
    if (this.#sync !== null) return await this.#sync.flush();
    await this.#keep();
  }

  async syncData(): Promise<void> {
    await this.sync();
  }

  /** Has what was written to a copy take the file's place. */
  async #keep(): Promise<void> {
    const writable = this.#writable;
    this.#writable = null;
    await writable?.close();
  }

  /** Resolves when the file may be opened again. */
  async close(): Promise<void> {
    if (this.#sync !== null) return await this.#sync.close();
    await this.#keep();
  }
}
