import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type KeyturnEvent, readEvent } from "../app/events.ts";
import { type Child, type Exit, plainEnvironment, startChild } from "./child.ts";
import { type DataFolder, rememberOrEnd } from "./data-folder.ts";
import { withoutStack } from "./failure.ts";

export interface LaunchOptions {
  readonly folder: DataFolder;
  /** 0 chooses a free port. */
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly keysFile: string;
  readonly onEvent: (event: KeyturnEvent) => void;
}

const projectRoot = fileURLToPath(new URL("../../../", import.meta.url));
const program = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

const ready = z.object({ ready: z.literal(true), url: z.string() });

/** Starts one Functions host. Resolves when it is ready; rejects with the error it printed when it does not start. */
export async function launchHost(options: LaunchOptions): Promise<{ child: Child; url: string }> {
  const { folder, port, settings, keysFile, onEvent } = options;
  const address = Promise.withResolvers<string>();
  const child = startChild({
    args: [
      ...[program, "--with-parent", "--app", projectRoot, "--port", String(port)],
      ...["--keys", keysFile, "--status", folder.at("timers")],
      // Seconds after which a message of a killed worker is delivered again.
      ...["--lease", "5"],
    ],
    env: { ...plainEnvironment(), ...settings },
    cwd: projectRoot,
    onLine(line) {
      appendFileSync(folder.at("functions.log"), `${line}\n`);
      const record = parseJson(line);
      const message = ready.safeParse(record);
      if (message.success) address.resolve(message.data.url);
      const event = readEvent(record);
      if (event !== undefined) onEvent(event);
    },
  });
  await rememberOrEnd(folder, "functions host", child);
  const ended = child.exited.then((exit): never => {
    throw new Error(explain(exit));
  });
  const url = await Promise.race([address.promise, ended]);
  ended.catch(() => undefined);
  return { child, url };
}

function explain({ code, signal, errors }: Exit): string {
  return errors === ""
    ? `The Functions host did not start (${signal ?? `code ${code}`}).`
    : withoutStack(errors);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
