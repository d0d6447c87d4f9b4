import { type Credential, Secret } from "../../core/secrets/secret.ts";

/** The fields of keys, and the fields of which one is in every connection string with them. */
const formats = [
  { key: "accountkey", place: ["accountname", "accountendpoint"], separator: ";" },
  { key: "sharedaccesskey", place: ["endpoint"], separator: ";" },
  { key: "accesskey", place: ["endpoint"], separator: ";" },
  { key: "secret", place: ["endpoint"], separator: ";" },
  { key: "password", place: [], separator: "," },
] as const;

/** The key in the connection string of a service, in any order and case, and its id if it has one. Undefined: the text is not one, or has several keys. */
export function readKeyText(text: Secret): Pick<Credential, "secret" | "secretId"> | undefined {
  for (const { key, place, separator } of formats) {
    const parts = text.reveal().trim().split(separator);
    const fields = parts.map(splitField);
    const found = fields.filter(({ name }) => name === key);
    const isPlaced =
      place.length === 0
        ? /^[\w.-]+:\d+$/.test(parts[0] ?? "")
        : place.some((one) => fields.some(({ name }) => name === one));
    const [only] = found;
    if (isPlaced && found.length === 1 && only !== undefined && only.value !== "") {
      const id = fields.find(({ name }) => name === "id")?.value ?? "";
      return { secret: new Secret(only.value), ...(id !== "" && { secretId: id }) };
    }
  }
  return undefined;
}

/** The value may have equals signs. */
function splitField(part: string): { readonly name: string; readonly value: string } {
  const at = part.indexOf("=");
  return {
    name: part.slice(0, Math.max(0, at)).trim().toLowerCase(),
    value: part.slice(at + 1).trim(),
  };
}
