import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { openConnection } from "../../shared/rotators/sql-server/sql-server-connection.ts";
import { failure, startBench } from "./azure-sql-steps.ts";

it("A log-in whose preparation takes longer than the limit for connecting contacts no server", async () => {
  const bench = await startBench();
  const place = bench.optionsWith();
  // Reading a pipe takes until somebody writes to it.
  const pipe = join(dirname(place.tls.caFile ?? ""), "pipe.pem");
  execFileSync("mkfifo", [pipe]);
  const opened = openConnection({ ...place, tls: { caFile: pipe } }, bench.admin, {
    where: "the server",
    signal: AbortSignal.timeout(5_000),
    connectWithin: 20,
  });
  const failed = failure(opened);
  await new Promise((resolve) => setTimeout(resolve, 100));
  // The server would stay silent, so without the limit only the signal would end the log-in.
  bench.tds.faults.on("connect", { do: "hang" });
  await writeFile(pipe, bench.tds.ca);
  const error = await failed;
  expect(error).toBeInstanceOf(TargetUnavailableError);
  expect(error.message).toBe("the server: connecting timed out after 20ms (timeouts.connect)");
  expect(bench.tds.inspection.connections.total).toBe(0);
});
