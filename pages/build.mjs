// Bundles each page into one script and one style sheet, which the package carries:
//
//     npm ci && npm run build      # writes jitinspect/render/pages/
//     node build.mjs --check       # writes nothing; exits 1 if what is there is not what would be written
//
// What is written depends on the sources and on the versions in package-lock.json alone.
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const PAGES = ["explorer", "flames", "programs"];
const INTO = new URL("../jitinspect/render/pages/", import.meta.url);

const built = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: PAGES.map((page) => ({ in: `src/${page}/main.ts`, out: page })),
  bundle: true,
  minify: true,
  charset: "utf8",
  format: "iife",
  legalComments: "none",
  metafile: true,
  outdir: ".",
  target: "es2022",
  write: false,
});
const files = new Map(built.outputFiles.map((file) => [file.path.split("/").at(-1), file.text]));
files.set("LICENSES.txt", await licences(Object.keys(built.metafile.inputs)));

let isCurrent = true;
for (const [name, text] of files) {
  const path = new URL(name, INTO);
  if (!process.argv.includes("--check")) await writeFile(path, text);
  else if ((await readFile(path, "utf8").catch(() => "")) !== text) {
    console.error(`${name} is not what the sources give: npm run build`);
    isCurrent = false;
  }
}
process.exit(isCurrent ? 0 : 1);

/** The licence of each package that has a file in a bundle. */
async function licences(inputs) {
  const found = inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]);
  const packages = [...new Set(found.filter(Boolean))].sort();
  const texts = packages.map(async (name) => {
    const folder = new URL(`node_modules/${name}/`, import.meta.url);
    const { version } = JSON.parse(await readFile(new URL("package.json", folder), "utf8"));
    return `${name} ${version}\n\n${(await readFile(new URL("LICENSE", folder), "utf8")).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}
