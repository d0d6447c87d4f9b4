import { expect, it } from "vitest";
import { TargetUnavailableError } from "../../shared/core/errors.ts";
import { openConnection } from "../../shared/rotators/common/sql-server/sql-server-connection.ts";
import { failure, startBench } from "./azure-sql-steps.ts";

it("A log-in whose preparation takes longer than the limit for connecting contacts no server", async () => {
  const bench = await startBench();
  // Without the limit, only the signal would end the log-in at a silent server.
  bench.tds.faults.on("connect", { do: "hang" });
  const opened = openConnection(bench.optionsWith(), bench.admin, {
    where: "the server",
    signal: AbortSignal.timeout(5_000),
    connectWithin: 20,
  });
  // The file of the authority is being read. This ends after the limit, and before the next step of that.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  const error = await failure(opened);
  expect(error).toBeInstanceOf(TargetUnavailableError);
  expect(error.message).toBe("the server: connecting timed out after 20ms (timeouts.connect)");
  expect(bench.tds.inspection.connections.total).toBe(0);
});
