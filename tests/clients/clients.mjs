// The API document through the eyes of those who generate from it: it lints clean, and a TypeScript and a Python client
// that are generated from it do the main job against the demo. IDCHECK_TEST_DEMO_JSON, IDCHECK_TEST_PYTHON.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "idcheck-clients-"));
after(() => rmSync(folder, { recursive: true }));
symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
const demo = JSON.parse(readFileSync(process.env.IDCHECK_TEST_DEMO_JSON, "utf8"));
const python = process.env.IDCHECK_TEST_PYTHON;
const document = join(folder, "openapi.json");
writeFileSync(document, await (await fetch(`${demo.baseUrl}/api/v1/openapi.json`)).text());

// What a program printed; its words are the failure's.
const run = async (program, args, env = {}) => {
  const options = { cwd: folder, env: { ...process.env, ...env }, maxBuffer: 1 << 24 };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, options);
    return { stdout, all: stdout + stderr };
  } catch (error) {
    assert.fail(`${program} ${args.join(" ")}\n${error.stdout}${error.stderr}`);
  }
};
const npx = (name, ...args) => run(join(here, "node_modules/.bin", name), args);
const lint = (file) => run(join(here, "node_modules/.bin/redocly"), ["lint", file, "--config", join(here, "redocly.yaml")],
  { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" });

test("the document lints clean", () => lint(document));

test("a member that stands twice does not lint", async () => {
  const text = readFileSync(document, "utf8");
  const twice = join(folder, "twice.json");
  writeFileSync(twice, text.replace('"info": {', '"info": {}, "info": {'));
  await assert.rejects(lint(twice), /duplicat/i);
});

test("a TypeScript client is generated, compiles strictly, and does the main job", async () => {
  await npx("openapi-typescript", document, "-o", join(folder, "api.d.ts"));
  copyFileSync(join(here, "company.ts"), join(folder, "company.ts"));
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
    compilerOptions: {
      strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, target: "es2022", module: "nodenext",
      outDir: "out", skipLibCheck: true, types: ["node"], lib: ["es2023", "dom"],
    },
    files: ["company.ts"],
  }));
  await npx("tsc", "-p", folder);
  const { stdout } = await run(process.execPath, [join(folder, "out/company.js")]);
  assert.deepEqual(JSON.parse(stdout), { code: "1" });
});

test("a Python client is generated whole and does the same", async () => {
  const generator = join(python, "../openapi-python-client");
  const options = ["generate", "--path", document, "--output-path", join(folder, "python"), "--config", join(here, "python.yaml")];
  const { all } = await run(generator, options);
  assert.ok(!/WARNING|ERROR/.test(all), all);
  const { stdout } = await run(python, [join(here, "company.py")], { PYTHONPATH: join(folder, "python") });
  assert.deepEqual(JSON.parse(stdout), { code: "1" });
});
