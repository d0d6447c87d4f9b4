import type { Problem } from "../problems.ts";
import { modulePath } from "../schema/modules.ts";
import type { ConfigRotator } from "../schema/targets.ts";
import type { Source } from "../yaml/document.ts";

/** Opens a module by its path. A problem is the predicate of a sentence. */
export type OpenModule = (
  path: string,
) => Promise<{ readonly rotator: ConfigRotator } | { readonly problem: string }>;

/** The rotators of the modules that the configuration names. */
export interface OwnRotators {
  readonly paths: readonly string[];
  readonly rotators: readonly ConfigRotator[];
  readonly problems: readonly Problem[];
  /** Whether every module was opened. Otherwise a type that is not known may belong to one of the others. */
  readonly isComplete: boolean;
}

interface Place {
  readonly path: string;
  readonly report: (message: string) => Problem;
}

const withoutFolder: OpenModule = () =>
  Promise.resolve({ problem: "cannot be used here: a module needs a configuration in a file" });

/** Opens every module once, in the order in which the files name them. A type can be defined only once. */
export async function openOwnRotators(
  sources: readonly Source[],
  builtIn: readonly ConfigRotator[],
  open: OpenModule = withoutFolder,
): Promise<OwnRotators> {
  const listed = sources.map(listPlaces);
  const places = new Map<string, Place>();
  for (const place of listed.flatMap((each) => each.places)) {
    if (!places.has(place.path)) places.set(place.path, place);
  }
  const definers = new Map(builtIn.map(({ type }) => [type, "Keyturn"]));
  const rotators: ConfigRotator[] = [];
  const problems: Problem[] = [];
  for (const { path, report } of places.values()) {
    const found = await open(path);
    const definer = "rotator" in found ? definers.get(found.rotator.type) : undefined;
    if ("problem" in found) problems.push(report(found.problem));
    else if (definer !== undefined) {
      problems.push(
        report(
          `defines the type ${found.rotator.type}, as ${definer} does; give it a name of its own`,
        ),
      );
    } else {
      definers.set(found.rotator.type, path);
      rotators.push(found.rotator);
    }
  }
  const isComplete = problems.length === 0 && listed.every((each) => each.isWellFormed);
  return { paths: [...places.keys()], rotators, problems, isComplete };
}

/** Malformed entries are reported by the schema of the file. */
function listPlaces({ value, locate }: Source): { places: Place[]; isWellFormed: boolean } {
  const written = value === undefined ? undefined : (value["rotators"] ?? []);
  if (!Array.isArray(written)) return { places: [], isWellFormed: false };
  const places = written.flatMap((one: unknown, index): Place[] => {
    const parsed = modulePath.safeParse(one);
    if (!parsed.success) return [];
    const report = (message: string) => locate({ path: ["rotators", index], message });
    return [{ path: parsed.data, report }];
  });
  return { places, isWellFormed: places.length === written.length };
}
