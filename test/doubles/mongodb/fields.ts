import { z } from "zod";
import { refused } from "./errors.ts";
import type { Call } from "./session.ts";

/** Fields that any command may carry; the driver adds some of them unasked. */
const generic = new Set([
  "$db",
  "$readPreference",
  "$clusterTime",
  "lsid",
  "txnNumber",
  "comment",
  "maxTimeMS",
  "writeConcern",
  "readConcern",
  "apiVersion",
  "apiStrict",
  "apiDeprecationErrors",
]);

const writeConcern = z.looseObject({
  w: z.union([z.number(), z.string(), z.record(z.string(), z.unknown())]).optional(),
});

/** The command's own fields, or the error with which the real server's parser refuses them. */
export function checkFields<Shape extends z.ZodRawShape>(
  { command }: Call,
  shape: z.ZodObject<Shape>,
): z.infer<z.ZodObject<Shape>> {
  const [verb = ""] = Object.keys(command);
  const own = Object.fromEntries(
    Object.entries(command).filter(([name]) => name !== verb && !generic.has(name)),
  );
  const unknown = Object.keys(own).find((name) => !(name in shape.shape));
  if (unknown !== undefined) {
    throw refused("IDLUnknownField", `BSON field '${verb}.${unknown}' is an unknown field.`);
  }
  if ("writeConcern" in command && !writeConcern.safeParse(command["writeConcern"]).success) {
    throw refused("FailedToParse", "w has to be a number, string, or object");
  }
  const parsed = shape.safeParse(own);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.map(String).join(".") ?? "";
  throw refused("TypeMismatch", `BSON field '${verb}.${path}' is the wrong type`);
}
