import { type Credential, Secret } from "../secrets/secret.ts";
import { vaultLimits } from "../vault-limits.ts";
import { isJsonObject, type JsonObject, parseJsonObject, printJson } from "./json.ts";
import { parsePayload, readPayload } from "./payload.ts";
import { renewValue } from "./renew.ts";
import { mergeText } from "./texts/merge-text.ts";
import type { TextForm } from "./texts/text-form.ts";

/** The published value with its content type and tags. */
export interface PublishedContent {
  readonly value: Secret;
  readonly contentType: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Merge {
  /** The content published before; undefined if there was none, or if it cannot be read. */
  readonly previous: PublishedContent | undefined;
  /** The content that Keyturn would publish if nothing had been published before. */
  readonly fresh: PublishedContent;
  readonly credential: Credential;
  /** The accounts of the target: `previous` may name one of them. */
  readonly accounts: readonly string[];
  /** The tags of the configuration. Those of `fresh` take precedence. */
  readonly tags: Readonly<Record<string, string>>;
  /** The text form of the target, if it publishes one. */
  readonly form?: TextForm | undefined;
}

export interface Merged extends PublishedContent {
  /** Sentences about content that could not be kept or updated. They name keys, never values. */
  readonly notes: readonly string[];
  /** False if the previous content does not fit and was left out. */
  readonly fits: boolean;
}

/** The tag that lists the keys of the endpoint that a person has changed, separated by commas. */
const keptTag = "keyturn-kept";

/** Tags for tools that know them. They are the first to be left out if there is no room. */
const sampleTags = ["CredentialId", "ProviderAddress", "ValidityPeriodDays"];

/**
 * The new version of a published secret: other keys of a JSON object, other parameters of a text, the content type, and tags stay as they
 * were. Merging with its own result changes nothing.
 */
export function mergePayload(merge: Merge): Merged {
  const { fresh } = merge;
  const { value, kept, stale } = mergeValue(merge);
  const fits = Buffer.byteLength(value.reveal()) <= vaultLimits.valueBytes;
  const { tags, dropped } = mergeTags(merge, fits ? kept : []);
  const notes = [
    ...(fits
      ? stale.map(staleNote)
      : ["the other content of the secret does not fit and was left out"]),
    ...(dropped.length === 0
      ? []
      : [`the tags ${dropped.join(", ")} do not fit and were left out`]),
  ];
  return {
    value: fits ? value : fresh.value,
    contentType: mergeContentType(merge),
    tags,
    notes,
    fits,
  };
}

function staleNote(path: string): string {
  return `${path.slice(0, 100)} still holds the superseded credential; Keyturn cannot safely update this credential`;
}

interface MergedValue {
  readonly value: Secret;
  readonly kept: readonly string[];
  readonly stale: readonly string[];
}

function mergeValue(merge: Merge): MergedValue {
  const { previous, fresh, form } = merge;
  const merged =
    previous && (form ? mergeIntoText(merge, previous, form) : mergeIntoJson(merge, previous));
  return merged ?? { value: fresh.value, kept: [], stale: [] };
}

function mergeIntoJson(
  { fresh, credential, accounts }: Merge,
  previous: PublishedContent,
): MergedValue | undefined {
  const before = objectIn(previous.value.reveal());
  const rendered = isJson(fresh) ? objectIn(fresh.value.reveal()) : undefined;
  if (!before || !rendered) return undefined;
  const ours = namedAsIn(before, rendered);
  const kept = keptKeys(previous, before, ours);
  const superseded = parsePayload(previous.value, accounts) ?? parsePayload(previous.value, []);
  const renewed = superseded && renewValue(without(before, ours), superseded, credential);
  const others = renewed && isJsonObject(renewed.value) ? renewed.value : before;
  const keys = new Set([...Object.keys(before), ...Object.keys(ours)]);
  const entries = Array.from(keys, (key) => {
    if (kept.includes(key)) return [key, before[key]];
    return [key, Object.hasOwn(ours, key) ? ours[key] : others[key]];
  });
  return {
    value: new Secret(printJson(Object.fromEntries(entries))),
    kept,
    stale: renewed?.stale ?? [],
  };
}

function mergeIntoText(
  { fresh, credential, accounts }: Merge,
  { value, tags }: PublishedContent,
  form: TextForm,
): MergedValue | undefined {
  const merged = mergeText({
    ...{ form, credential, accounts },
    before: value.reveal(),
    fresh: fresh.value.reveal(),
    isOurs: (name) => isWritten(tags) && !listKept(tags).includes(name),
  });
  return merged && { ...merged, value: new Secret(merged.text) };
}

/** Whether Keyturn wrote the version with these tags. */
function isWritten(tags: PublishedContent["tags"]): boolean {
  return tags["keyturn-target"] !== undefined;
}

function listKept(tags: PublishedContent["tags"]): readonly string[] {
  return tags[keptTag]?.split(",") ?? [];
}

/** Some programs do not distinguish upper and lower case in names, so two names must differ in more than case. */
function namedAsIn(before: JsonObject, ours: JsonObject): JsonObject {
  const names = Object.keys(before);
  const entries = Object.entries(ours).map(([key, value]): [string, unknown] => {
    if (names.includes(key)) return [key, value];
    const same = names.find((name) => name.toLowerCase() === key.toLowerCase());
    return [same ?? key, value];
  });
  return Object.fromEntries(entries);
}

/** A person may have set another address, such as that of a pooler. An address that Keyturn wrote follows the configuration. */
function keptKeys({ tags }: PublishedContent, before: JsonObject, ours: JsonObject): string[] {
  const isOurs = isWritten(tags);
  const known = listKept(tags);
  return Object.keys(ours).filter((key) => {
    if (/^(username|password)$/i.test(key) || !Object.hasOwn(before, key)) return false;
    return (!isOurs || known.includes(key)) && printJson(before[key]) !== printJson(ours[key]);
  });
}

function without(before: JsonObject, ours: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(before).filter(([key]) => !Object.hasOwn(ours, key)));
}

/** The content type describes the form of the value, so it stays while the form stays the same. */
function mergeContentType({ previous, fresh, accounts, form }: Merge): string {
  if (!previous || previous.contentType === "") return fresh.contentType;
  const isSame = isJson(fresh)
    ? objectIn(previous.value.reveal()) !== undefined
    : findShape(previous.value, accounts, form) === (form ? "form" : "password");
  return isSame ? previous.contentType : fresh.contentType;
}

function findShape(value: Secret, accounts: readonly string[], form: TextForm | undefined) {
  const reading = readPayload(value, accounts, form);
  return reading.kind === "credential" ? reading.shape : undefined;
}

function mergeTags(
  { previous, fresh, tags }: Merge,
  kept: readonly string[],
): { tags: Record<string, string>; dropped: readonly string[] } {
  const isReserved = (name: string) => name.startsWith("keyturn-") || sampleTags.includes(name);
  const isSample = (name: string) => sampleTags.includes(name);
  const own = Object.entries(fresh.tags);
  const theirs = Object.entries(previous?.tags ?? {}).filter(([name]) => !isReserved(name));
  const byImportance = [
    ...own.filter(([name]) => !isSample(name)),
    ...(kept.length > 0 ? [[keptTag, kept.join(",")] as const] : []),
    ...Object.entries(tags),
    ...own.filter(([name]) => isSample(name)),
    ...theirs,
  ];
  const names = [...new Set(byImportance.map(([name]) => name))];
  const all = new Map(byImportance.toReversed());
  const room = names.slice(0, vaultLimits.tags);
  return {
    tags: Object.fromEntries(room.map((name) => [name, all.get(name) ?? ""])),
    dropped: names.slice(vaultLimits.tags),
  };
}

function isJson({ contentType }: PublishedContent): boolean {
  return contentType === "application/json";
}

/** Windows PowerShell writes a byte-order mark before the text. */
function objectIn(text: string): JsonObject | undefined {
  return parseJsonObject(text.replace(/^\uFEFF/, ""));
}
