/** What a member says about itself before any log-in. */
export interface Greeting {
  /** A primary, a mongos or a server on its own. */
  readonly isWritable: boolean;
  readonly setName?: string;
  /** A member of a replica set that does not know its set yet. */
  readonly isStarting: boolean;
}

export interface Heard {
  /** By address. */
  readonly answers: ReadonlyMap<string, Greeting>;
  /** The configured name of the replica set. */
  readonly replicaSet: string | undefined;
}

/** Why no log-in is possible although members have answered. */
export interface Problem {
  readonly sentence: string;
  /** Whether only a change of the configuration can help. */
  readonly isFinal: boolean;
}

const isPlainName = (name: string) => /^[\w.-]{1,64}$/.test(name);

/** Pure: what is wrong with the members that have answered; undefined if nothing is known to be wrong. */
export function findProblem({ answers, replicaSet }: Heard): Problem | undefined {
  const greetings = [...answers.values()];
  if (greetings.length === 0) return undefined;
  const mayBeOurs = ({ setName, isStarting }: Greeting) => setName === replicaSet || isStarting;
  if (replicaSet !== undefined && !greetings.some(mayBeOurs)) {
    const [other = ""] = greetings.flatMap(({ setName }) => setName ?? []);
    const found =
      other === ""
        ? `${[...answers.keys()].join(", ")} is not a member of a replica set. Remove options.replicaSet`
        : `the members belong to ${isPlainName(other) ? `the replica set ${other}` : "another replica set"}. Correct options.replicaSet`;
    return { sentence: `the replica set ${replicaSet} was not found: ${found}`, isFinal: true };
  }
  if (greetings.some(({ isWritable }) => isWritable)) return undefined;
  return {
    sentence:
      "the replica set has no primary, and only a primary accepts changes. " +
      "Wait for the election, or check the members with rs.status()",
    isFinal: false,
  };
}
