import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../local/host/main.ts", import.meta.url));
const project = fileURLToPath(new URL("../../../", import.meta.url));

/** The Functions app in its own process, on the local host. */
export interface HostProcess {
  /** `http://127.0.0.1:<port>`, once it takes requests. */
  readonly url: string;
  readonly pid: number;
  /** Sends SIGKILL, so that nothing in the process can end properly. */
  kill(): Promise<void>;
  /** Sends SIGTERM, so that running functions end. Returns the exit code. */
  stop(): Promise<number | null>;
}

export interface HostProcessOptions {
  /** All of the environment but PATH. */
  readonly settings: Readonly<Record<string, string>>;
  readonly keysFile: string;
  /** Receives each piece of its standard output and standard error. */
  readonly heard: (text: string) => void;
  /** For Node itself. */
  readonly nodeArguments?: readonly string[];
}

/** Resolves when the host is ready. Throws with its last lines when it ends before that. */
export async function startHostProcess(options: HostProcessOptions): Promise<HostProcess> {
  const { settings, keysFile, heard, nodeArguments = [] } = options;
  const given = ["--app", project, "--keys", keysFile, "--lease", "2", "--with-parent"];
  const child = spawn(process.execPath, [...nodeArguments, program, ...given], {
    env: { PATH: process.env["PATH"], ...settings },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  const last: string[] = [];
  const ready = Promise.withResolvers<string>();
  const hear = (line: string): void => {
    heard(`${line}\n`);
    last.push(line);
    if (last.length > 20) last.shift();
  };
  createInterface(child.stderr).on("line", hear);
  createInterface(child.stdout).on("line", (line) => {
    hear(line);
    const url = readyUrl(line);
    if (url !== undefined) ready.resolve(url);
  });
  void exited.then(() => {
    ready.reject(new Error(`The host ended before it was ready:\n${last.join("\n")}`));
  });
  const url = await ready.promise;
  return {
    url,
    pid: child.pid ?? 0,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

function readyUrl(line: string): string | undefined {
  try {
    const record = JSON.parse(line) as { ready?: boolean; url?: string };
    return record.ready === true ? record.url : undefined;
  } catch {
    // Not a line of the host: the SDK's logger and Node write plain text.
    return undefined;
  }
}
