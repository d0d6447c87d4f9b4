import { randomBytes } from "node:crypto";

export interface ArmKey {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly id: string;
}

/** The keys of one resource, by the names in the list of its service. */
export interface ArmKeys {
  readonly now: ReadonlyMap<string, ArmKey>;
  /** Every value that a key has had. */
  readonly ever: ReadonlySet<string>;
  /** Answers of the list that still show what was there before the last regeneration. */
  staleReads: number;
  /** How many regenerations took effect. */
  readonly landed: number;
  /** What the list shows. */
  read(): ReadonlyMap<string, ArmKey>;
  has(value: string): boolean;
  /** `value`: the key that the request brings, of a service that permits it. */
  regenerate(name: string, value?: string): void;
  /** Takes a key out of the list. */
  remove(name: string): void;
  /** Gives every key a new value, as if nothing had happened before. */
  reset(): void;
}

export interface KeptKeys {
  /** The keys of an earlier double. Default: new ones. */
  readonly kept?: ReadonlyMap<string, ArmKey> | undefined;
  /** Called with the keys before a change of them takes effect. */
  readonly save?: (keys: ReadonlyMap<string, ArmKey>) => void;
}

/** Keys of 32 bytes in base64, as most services have. They contain characters that JSON and URLs may escape. */
export function makeArmKeys(
  names: readonly string[],
  { kept, save = () => undefined }: KeptKeys = {},
): ArmKeys {
  const now = new Map<string, ArmKey>(kept);
  let before: ReadonlyMap<string, ArmKey> = now;
  let landed = 0;

  const ever = new Set<string>();
  const make = (value = makeKeyValue()): ArmKey => {
    ever.add(value);
    return { value, created: Date.now(), id: randomBytes(8).toString("hex") };
  };

  const keys: ArmKeys = {
    now,
    ever,
    staleReads: 0,
    get landed() {
      return landed;
    },
    read() {
      if (keys.staleReads === 0) return now;
      keys.staleReads -= 1;
      return before;
    },
    has: (value) => [...now.values()].some((key) => key.value === value),
    regenerate(name, value) {
      const key = make(value);
      save(new Map(now).set(name, key));
      before = new Map(now);
      now.set(name, key);
      landed += 1;
    },
    remove: (name) => void now.delete(name),
    reset() {
      keys.staleReads = 0;
      landed = 0;
      for (const name of names) now.set(name, make());
      save(now);
    },
  };
  if (kept === undefined) keys.reset();
  return keys;
}

/** It always has both characters that URLs escape. */
function makeKeyValue(): string {
  return `+/${randomBytes(32).toString("base64").slice(2)}`;
}
