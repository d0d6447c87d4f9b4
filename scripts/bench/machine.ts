import { cpus, release, totalmem, type } from "node:os";

/** In a sentence, what the figures were measured on. */
export function machine(at = new Date()): string {
  const [processor] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const system = `${type()} ${release()}, ${process.arch}`;
  const cores = `${cpus().length} cores (${processor?.model.trim() ?? "unknown"})`;
  const day = at.toISOString().slice(0, 10);
  return `Measured on ${day}: ${cores}, ${memory} GiB, ${system}, Node ${process.version}.`;
}
