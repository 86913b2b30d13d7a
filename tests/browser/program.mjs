// Our program as a process of its own, for suites that need it otherwise than the demo has it.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const program = process.env.IDCHECK_TEST_PROGRAM;

export const freePort = () => new Promise((resolve) => {
  const socket = createSocket();
  socket.listen(0, "127.0.0.1", () => {
    const { port } = socket.address();
    socket.close(() => resolve(port));
  });
});

// A program on a database of its own, at this host and port; it trusts what the running demo trusts.
export class Program {
  constructor(host, port) {
    this.folder = mkdtempSync(join(tmpdir(), "idcheck-program-"));
    this.base = `http://${host}:${port}`;
    this.log = "";
    mkdirSync(join(this.folder, "mail"));
    writeFileSync(join(this.folder, "key"), randomBytes(32).toString("hex"), { mode: 0o600 });
    this.environment = {
      ...process.env,
      IDCHECK_DATABASE_URL: `sqlite://${join(this.folder, "idcheck.db")}`,
      IDCHECK_KEY_FILE: join(this.folder, "key"),
      IDCHECK_TRUST_DIR: join(dirname(process.env.IDCHECK_TEST_DEMO_JSON), "pki/trust"),
      IDCHECK_CARD__FETCH: "false",
      IDCHECK_LISTEN: `127.0.0.1:${port}`,
      IDCHECK_BASE_URL: this.base,
      IDCHECK_MAIL__FOLDER: join(this.folder, "mail"),
    };
  }

  // Runs a command on its data; what it printed.
  run(args, input = "") {
    return execFileSync(program, args, { env: this.environment, input, stdio: ["pipe", "pipe", "pipe"] }).toString();
  }

  async serve() {
    this.process = spawn(program, ["serve"], { env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (data) => { this.log += data; });
    for (let tries = 0; ; tries += 1) {
      if (await fetch(`${this.base}/readyz`).then((response) => response.ok, () => false)) return;
      assert.ok(tries < 200, this.log);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }

  end() {
    this.process?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
