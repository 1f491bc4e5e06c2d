// Bundles the tests, since Node takes no TypeScript before version 22, and runs them with Node's own runner.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const folder = await mkdtemp(join(tmpdir(), "pages-"));
const names = (await readdir(new URL("tests", import.meta.url), { recursive: true })).filter((name) => name.endsWith(".test.ts"));
await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: names.map((name) => `tests/${name}`),
  bundle: true,
  format: "esm",
  platform: "node",
  outbase: "tests",
  outdir: folder,
  outExtension: { ".js": ".mjs" },
});
const files = names.map((name) => join(folder, name.replace(/ts$/, "mjs")));
const { status } = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
await rm(folder, { recursive: true });
process.exit(status ?? 1);
