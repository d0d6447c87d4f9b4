import { type OwnSystem, ownSystems, ownVariable, type System, systems } from "../server.ts";

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
    const instead = isOwnable(system)
      ? `To use a server of your own, set ${ownVariable(system)} (CONTRIBUTING.md, "Servers for tests").`
      : "No other server can be used instead.";
    throw new Error(
      `${systems[system]} is not available for tests. Tried: ${tried}.\n${reason}\n${instead}`,
      { cause: error },
    );
  }
}

const isOwnable = (system: System): system is OwnSystem => system in ownSystems;
