import { setTimeout } from "node:timers/promises";
import { build } from "./build-id.ts";
import type { Settings } from "./config/settings.ts";
import { type Environment, makeAzureCredential, makeConnection } from "./connections.ts";
import type { Secret } from "./core/secrets/secret.ts";
import { writeFormInThread } from "./edited-config.ts";
import { type LiveConfig, makeLiveConfig } from "./live-config.ts";
import { openConfigBlob } from "./stores/blob/config-blob.ts";
import { openKeptConfigs } from "./stores/blob/kept-config.ts";

/** Reads the configuration from the blob at `url`. The copy for instances that start later is in the storage account of the app. */
export function openConfigInBlob(
  url: Secret,
  settings: Settings,
  { environment, root }: { readonly environment: Environment; readonly root: string },
): LiveConfig {
  const blob = openConfigBlob(url.reveal(), makeAzureCredential(environment, settings.clientId));
  const storage = makeConnection("blob", settings.storage, environment);
  return makeLiveConfig({
    ...{ blob, build, folder: root },
    kept: openKeptConfigs(storage, `${settings.queue}-config`, blob.name),
    check: async (files) => (await import("./tools.ts")).checkBlob(files),
    writeForm: writeFormInThread,
    now: () => new Date().toISOString(),
    // Nothing is kept alive by a wait that has become pointless.
    pause: (milliseconds) => setTimeout(milliseconds, undefined, { ref: false }),
  });
}
