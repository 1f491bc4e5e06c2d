// Runs the tests of the modules that need no browser: bundled, since not every Node reads TypeScript.
//
//     npm ci && npm test
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const root = import.meta.dirname;
const tests = (await readdir(join(root, "tests"), { recursive: true })).filter((name) => name.endsWith(".test.ts"));
const folder = await mkdtemp(join(tmpdir(), "jitinspect-pages-"));
try {
  await build({
    absWorkingDir: root,
    entryPoints: tests.map((name) => join("tests", name)),
    outbase: join(root, "tests"),
    outdir: folder,
    bundle: true,
    format: "esm",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    logLevel: "warning",
  });
  const built = tests.map((name) => join(folder, name.replace(/\.ts$/, ".mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", ...built], { stdio: "inherit" }).status ?? 1;
} finally {
  await rm(folder, { recursive: true });
}
