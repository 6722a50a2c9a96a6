// Folders and files for tests, gone when the process ends, whether the tests passed or not.

const made: string[] = [];

globalThis.addEventListener("unload", () => {
  for (const path of made) {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // the test has removed it itself
    }
  }
});

/** A new empty folder for this test file. */
export function tempDir(options: Deno.MakeTempOptions = {}): string {
  const path = Deno.makeTempDirSync(options);
  made.push(path);
  return path;
}

/** A new empty file for this test file. */
export function tempFile(options: Deno.MakeTempOptions = {}): string {
  const path = Deno.makeTempFileSync(options);
  made.push(path);
  return path;
}
