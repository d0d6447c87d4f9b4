import { toPrintable } from "../../shared/app.ts";
import { exitCodes, Failure } from "../exit-codes.ts";

/** Requests a token with the log-in of this machine: `az login`, a managed identity, or a workload identity. Throws Failure. */
export async function requestToken(scope: string): Promise<string> {
  const { DefaultAzureCredential } = await import("@azure/identity");
  try {
    return (await new DefaultAzureCredential().getToken(scope)).token;
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : "").split("\n");
    const reason = toPrintable(line).slice(0, 200);
    throw new Failure(
      `No Microsoft Entra token for ${toPrintable(scope)}. Run az login, and check the scope: it is the Application ID URI of the app's registration with /.default at its end. (${reason})`,
      exitCodes.unreachable,
    );
  }
}
