import { dirname } from "node:path";

/**
 * Throws with every problem of the configuration, before anything is started. Makes the whole app as it ships, which
 * connects to nothing by itself. Returns what is worth a second look.
 */
export async function checkConfiguration(path: string): Promise<readonly string[]> {
  // Loaded only when there is something to check: the app brings every Azure library with it.
  const { createApp } = await import("../../shared/app.ts");
  const settings = { KEYTURN_CONFIG: path, AzureWebJobsStorage: "UseDevelopmentStorage=true" };
  return (await createApp(settings, dirname(path))).warnings;
}
