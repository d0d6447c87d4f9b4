import { accept } from "./accept.ts";
import { type ArmAnswer, armErrors, type ArmRefusal, Refused } from "./errors.ts";
import type { ArmKey, ArmKeys } from "./key-store.ts";
import type { ArmCall, ArmResource, ArmRoute, ArmService } from "./state.ts";

type Listed = ReadonlyMap<string, ArmKey>;

/** A service that creates its keys. */
export interface KeyRow extends Omit<ArmService, "routes"> {
  /** The names of the keys in the list, and the words of a request for them. */
  readonly keys: Readonly<Record<string, string>>;
  readonly list: string;
  readonly regenerate: string;
  /** Where a request names the key: a field of the body, the end of the path, or the id of the key. */
  readonly namedBy: { readonly field: string } | "path" | "id";
  readonly show: (keys: Listed) => object;
  /** How a regeneration is answered: with the keys, with an operation, or with an operation whose result is empty. */
  readonly answers: "keys" | "one key" | "operation" | "empty operation";
  readonly describe: (resource: ArmResource) => object;
  /** A request may bring the key, in the field `key`: 32 bytes in base64. */
  readonly takesKey?: true;
  /** How the list is refused while keys are switched off. Absent: it is not. */
  readonly off?: ArmRefusal;
}

export function keyService(row: KeyRow): ArmService {
  const { type, list, regenerate } = row;
  const read: ArmRoute = {
    method: "GET",
    path: "",
    effect: "get",
    action: `${type}/read`,
    run: ({ id, resource }) => ({ status: 200, body: toBody(id, row, resource) }),
  };
  const listing: ArmRoute = {
    method: "POST",
    path: `/${list}`,
    effect: "list",
    action: `${type}/${list}/action`,
    run: ({ resource }) => {
      if (resource.entraOnly === true && row.off) throw new Refused(row.off);
      return { status: 200, body: row.show(keysOf(resource).read()) };
    },
  };
  const change = (word?: string): ArmRoute => ({
    method: "POST",
    path: `/${regenerate}${word === undefined ? "" : `/${word}`}`,
    effect: "regenerate",
    action: `${type}/${regenerate}/action`,
    run: (call) => regenerateKey(call, row, word),
  });
  const changes = row.namedBy === "path" ? Object.values(row.keys).map(change) : [change()];
  return { ...row, routes: [read, listing, ...changes] };
}

function keysOf({ keys, name }: ArmResource): ArmKeys {
  if (keys === undefined) throw new Error(`the resource ${name} has no keys`);
  return keys;
}

function toBody(id: string, row: KeyRow, resource: ArmResource): object {
  const { kind, properties: more } = resource;
  const properties = { provisioningState: "Succeeded", ...row.describe(resource), ...more };
  const { type } = row;
  return { id, name: id.split("/").at(-1), type, location: "westeurope", kind, properties };
}

async function regenerateKey(call: ArmCall, row: KeyRow, word?: string): Promise<ArmAnswer> {
  const { resource, request, state } = call;
  if (resource.entraOnly === true && row.off) throw new Refused(row.off);
  const keys = keysOf(resource);
  const name = findName(keys, row, word ?? request.body);
  if (state.operations.isBusy(resource.name)) throw new Refused(armErrors.busy(resource.name));
  const show = () => row.show(keys.now);
  if (row.answers === "keys" || row.answers === "one key") {
    keys.regenerate(name, row.takesKey && findGivenKey(request.body));
    const one = new Map([...keys.now].filter(([each]) => each === name));
    const [only] = (row.show(one) as { value?: object[] }).value ?? [];
    return { status: 200, body: row.answers === "keys" ? show() : (only ?? {}) };
  }
  const land = () => {
    keys.regenerate(name);
    return Promise.resolve();
  };
  const answer = await accept(call, {
    land,
    show: row.answers === "operation" ? show : () => ({}),
  });
  return { ...answer, body: {} };
}

function findGivenKey(body: string): string | undefined {
  const { key } = JSON.parse(body) as { key?: string };
  if (key === undefined) return undefined;
  const bytes = Buffer.from(key, "base64");
  if (bytes.length !== 32 || key.length !== 44) throw new Refused(armErrors.unreadable);
  return key;
}

/** The name of the key in the list. The words differ in case between services, and Azure is strict about them. */
function findName(keys: ArmKeys, { keys: words, namedBy }: KeyRow, sent: string): string {
  const body = namedBy === "path" ? undefined : (JSON.parse(sent) as Record<string, unknown>);
  const word = body === undefined ? sent : body[typeof namedBy === "object" ? namedBy.field : "id"];
  const [name] =
    namedBy === "id"
      ? ([...keys.now].find(([, { id }]) => id === word) ?? [])
      : (Object.entries(words).find(([, one]) => one === word) ?? []);
  if (name === undefined) throw new Refused(armErrors.unreadable);
  return name;
}

/** A list with one field for each key. */
export const asFields = (keys: Listed): object =>
  Object.fromEntries(Array.from(keys, ([name, { value }]) => [name, value]));

export const toTime = ({ created }: ArmKey): string => new Date(created).toISOString();
