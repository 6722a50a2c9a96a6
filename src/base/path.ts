/**
 * Paths of files: those of the system, and in browsers those of the origin's own file system, which are POSIX's.
 *
 * @module
 */
import { host } from "./host.ts";

/** Node's own functions for Windows, whose paths have drives and two kinds of slashes. */
interface WindowsPaths {
  basename(path: string, ending?: string): string;
  dirname(path: string): string;
  extname(path: string): string;
  isAbsolute(path: string): boolean;
  join(...parts: string[]): string;
  relative(from: string, to: string): string;
  resolve(...parts: string[]): string;
}

const windows: WindowsPaths | null = host.os === "windows" ? host.windowsPaths() as WindowsPaths : null;

/** Last part of a path, without `ending` if it ends so and is more than that. */
export function basename(path: string, ending = ""): string {
  if (windows !== null) return windows.basename(path, ending);
  const trimmed = path.replace(/\/+$/, "");
  const name = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return ending !== "" && name !== ending && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
}

/** The path without its last part. */
export function dirname(path: string): string {
  if (windows !== null) return windows.dirname(path);
  const trimmed = path.replace(/\/+$/, ""), at = trimmed.lastIndexOf("/");
  if (at < 0) return path.startsWith("/") ? "/" : ".";
  return trimmed.slice(0, at) || "/";
}

/** The ending of the last part, with its dot; "" where there is none. */
export function extname(path: string): string {
  if (windows !== null) return windows.extname(path);
  const name = basename(path), at = name.lastIndexOf(".");
  return at <= 0 || name === ".." ? "" : name.slice(at);
}

/** Whether a path does not depend on the working folder. */
export function isAbsolute(path: string): boolean {
  return windows !== null ? windows.isAbsolute(path) : path.startsWith("/");
}

/** Parts one inside of the other, with `.` and `..` worked out. */
export function join(...parts: string[]): string {
  if (windows !== null) return windows.join(...parts);
  return normalized(parts.filter((part) => part !== "").join("/"));
}

function normalized(path: string): string {
  const absolute = path.startsWith("/"), out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") out.push(part);
    else if (out.length > 0 && out.at(-1) !== "..") out.pop();
    else if (!absolute) out.push("..");
  }
  const slash = path.endsWith("/") ? "/" : "";
  if (out.length === 0) return absolute ? "/" : `.${slash}`;
  return (absolute ? "/" : "") + out.join("/") + slash;
}

/** An absolute path: the last absolute one of `parts` and what follows, inside of the working folder where there is none. */
export function resolve(...parts: string[]): string {
  if (windows !== null) return windows.resolve(...parts);
  let path = "";
  for (let i = parts.length - 1; i >= 0 && !path.startsWith("/"); i--) {
    if (parts[i] !== "") path = path === "" ? parts[i] : `${parts[i]}/${path}`;
  }
  if (!path.startsWith("/")) path = `${host.folder()}/${path}`;
  return normalized(path).replace(/(.)\/$/, "$1");
}

/** How `to` is reached from the folder `from`. */
export function relative(from: string, to: string): string {
  if (windows !== null) return windows.relative(from, to);
  const a = resolve(from).split("/").filter((part) => part !== "");
  const b = resolve(to).split("/").filter((part) => part !== "");
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/");
}

/** The path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  const { pathname, hostname, protocol } = new URL(url);
  if (protocol !== "file:") throw new TypeError(`Cannot make a path of ${url}: it is no file: URL`);
  const path = decodeURIComponent(pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
  if (windows === null) return path;
  const plain = path.replaceAll("/", "\\").replace(/^\\(?=[A-Za-z]:)/, "");
  return hostname === "" ? plain : `\\\\${hostname}${plain}`;
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(path: string): URL {
  if (!isAbsolute(path)) throw new TypeError(`Cannot make a URL of ${path}: it is no absolute path`);
  const slashes = windows === null ? path : path.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:)/, "/");
  const url = new URL("file:///");
  url.pathname = slashes.replace(/%/g, "%25").replace(/\\/g, "%5C");
  return url;
}
