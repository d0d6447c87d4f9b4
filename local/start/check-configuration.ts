import { dirname } from "node:path";

/**
 * Throws with every problem of the configuration, before anything is started. Makes the whole app as it ships, which
 * connects to nothing by itself.
 */
export async function checkConfiguration(path: string): Promise<void> {
  // Loaded only when there is something to check: the app brings every Azure library with it.
  const { createApp } = await import("../../shared/app.ts");
  const settings = { KEYTURN_CONFIG: path, AzureWebJobsStorage: "UseDevelopmentStorage=true" };
  await createApp(settings, dirname(path));
}
