/**
 * What is asked of a runtime's files.
 *
 * @module
 */

/** What is known of a file or folder. */
export interface FileInfo {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Bytes of a file. */
  readonly size: number;
  /** When it was last written, where that is known. */
  readonly mtime: Date | null;
}

/** What lies in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
}

/** How a file is opened; by default for reading. */
export interface OpenOptions {
  readonly read?: boolean;
  readonly write?: boolean;
  /** Makes it where it is missing. */
  readonly create?: boolean;
  /** Makes it; it must be missing. */
  readonly createNew?: boolean;
  /** Empties it. */
  readonly truncate?: boolean;
}

/** An open file. */
export interface HostFile {
  /** Reads some bytes; null at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of the bytes; says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Goes to byte `offset`; `whence` is 0. */
  seek(offset: number, whence: 0): Promise<unknown>;
  truncate(bytes?: number): Promise<void>;
  stat(): Promise<{ readonly size: number }>;
  /** Resolves when everything is on disk; `syncData` leaves out times and the like. */
  sync(): Promise<void>;
  syncData(): Promise<void>;
  /** To be awaited before the file is opened, renamed or removed. */
  close(): void | Promise<void>;
}

/** A lock that other programs respect, held until it is released or the program ends. */
export interface HostLock {
  release(): void;
}

/** Files. Errors are the runtime's own; `fileFault` tells them apart. */
export interface HostFiles {
  /**
   * Whether folders can be renamed in one step. Where not, what must be there as a whole has a file that is written last.
   */
  readonly movesFolders: boolean;
  readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>>;
  readTextFile(path: string | URL): Promise<string>;
  writeFile(path: string, bytes: Uint8Array, options?: { readonly append?: boolean }): Promise<void>;
  writeTextFile(path: string, text: string, options?: { readonly append?: boolean }): Promise<void>;
  /** The bytes of a file, piece by piece. */
  stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  open(path: string, options?: OpenOptions): Promise<HostFile>;
  stat(path: string): Promise<FileInfo>;
  /** The same of a link itself. */
  lstat(path: string): Promise<FileInfo>;
  mkdir(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  readDir(path: string): AsyncIterable<FolderEntry>;
  /** Gives a file another name, whatever had it. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /** The path without links. */
  realPath(path: string): Promise<string>;
  link(from: string, to: string): Promise<void>;
  symlink(from: string, to: string): Promise<void>;
  /** Has a folder's entries on disk. */
  flushFolder(path: string): Promise<void>;
  /** A lock by the name of a file, which is made; null where another program has it, unless it is to wait. */
  lock(path: string, options?: { readonly wait?: boolean }): Promise<HostLock | null>;
}
