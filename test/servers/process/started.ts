import { noteUse } from "../report/uses.ts";
import type { StartedServer } from "../server.ts";
import type { TlsFiles } from "./folder.ts";
import type { Launched } from "./launch.ts";

type Facts = Pick<StartedServer, "system" | "version" | "admin" | "data"> & {
  readonly tls: TlsFiles;
};

export function toStartedServer(process: Launched, facts: Facts): StartedServer {
  const { system, version, admin, data, tls } = facts;
  noteUse(system, "real", version);
  const { port, folder, logFile, restart, crash, stop } = process;
  return {
    ...{ system, host: "127.0.0.1", port, ca: tls.ca, caFile: tls.caFile, version, admin },
    ...{ folder, data, logFile, restart, crash, stop },
    get pid() {
      return process.pid;
    },
  };
}
