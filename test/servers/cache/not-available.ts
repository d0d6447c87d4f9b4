import { type System, systems } from "../server.ts";

/** Name of the environment variable that names an own server of this system. */
export const variableOf = (system: System): string => `KEYTURN_TEST_${system.toUpperCase()}`;

/** Runs `work`. Its error says what was tried and what to do instead. */
export async function orNotAvailable<Result>(
  system: System,
  tried: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${systems[system]} is not available for tests. Tried: ${tried}.\n${reason}\n` +
        `To use a server of your own, set ${variableOf(system)} (CONTRIBUTING.md, "Real servers").`,
      { cause: error },
    );
  }
}
