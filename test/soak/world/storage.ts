import { join } from "node:path";
import { type Azurite, startAzurite } from "../../../local/azurite.ts";
import { getPart, movedTo } from "../../stores/connection-strings.ts";
import { type Line, lineTo } from "./line.ts";

/** Azurite with its data in files, behind lines with fixed ports. */
export interface Storage {
  /** As the hosts see it. */
  readonly connectionString: string;
  readonly lines: readonly Line[];
  /**
   * Breaks every connection, then ends Azurite. Azurite writes its files when it ends, and only every few seconds
   * before, so it must not be killed: Azure Storage has written what it has answered.
   */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const endpoints = ["QueueEndpoint", "TableEndpoint"] as const;

export async function startStorage(folder: string): Promise<Storage> {
  const directory = join(folder, "azurite");
  let azurite: Azurite = await startAzurite({ directory });
  const serverPorts = () =>
    endpoints.map((endpoint) => Number(new URL(getPart(azurite.connectionString, endpoint)).port));
  const lines = await Promise.all(serverPorts().map(lineTo));
  const connectionString = endpoints.reduce(
    (text, endpoint, index) =>
      movedTo(text, endpoint, `http://127.0.0.1:${lines[index]?.port ?? 0}`),
    azurite.connectionString,
  );
  return {
    ...{ connectionString, lines },
    async stop() {
      await Promise.all(lines.map((line) => line.refuse()));
      await azurite.close();
    },
    async start() {
      azurite = await startAzurite({ directory });
      serverPorts().forEach((port, index) => lines[index]?.leadTo(port));
      await Promise.all(lines.map((line) => line.restore()));
    },
    async close() {
      await Promise.all(lines.map((line) => line.close()));
      await azurite.close();
    },
  };
}
