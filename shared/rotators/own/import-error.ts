import { ConfigError } from "../../core/errors.ts";

/** What Node's codes mean for the author of a module. */
const sentences: Readonly<Record<string, string>> = {
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    "is TypeScript inside node_modules, which Node does not run. Import a package that is built as JavaScript",
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    "uses TypeScript that Node cannot run, such as enum or parameter properties. Use types that can be erased",
  ERR_UNKNOWN_FILE_EXTENSION: "imports a file whose kind Node does not know",
};

/** Why an import of the module failed, as the predicate of a sentence. The errors of a module are those of its author, and no secrets. */
export function explainImportError(error: unknown, file: string): string {
  if (!(error instanceof Error)) return "threw something that is not an error when it was imported";
  const code: unknown = Reflect.get(error, "code");
  if (code === "ERR_MODULE_NOT_FOUND") return explainMissing(error.message);
  if (error instanceof ConfigError) return `is refused: ${error.message}`;
  const known = typeof code === "string" ? sentences[code] : undefined;
  if (known !== undefined) return known;
  if (error instanceof SyntaxError || code === "ERR_INVALID_TYPESCRIPT_SYNTAX") {
    return `has a syntax error: ${firstLine(error.message)}${findPlace(error, file)}`;
  }
  return `failed when it was imported: ${error.name}: ${firstLine(error.message)}`;
}

function explainMissing(message: string): string {
  const [, name = ""] = /^Cannot find (?:package|module) '([^']+)'/.exec(message) ?? [];
  return message.startsWith("Cannot find package")
    ? `imports the package ${name}, which is not installed. Run npm install --save-exact ${name} in its folder`
    : `imports ${name}, which does not exist. Imports of files end in their extension, such as .ts`;
}

/** V8 names the line in the first line of the stack. */
function findPlace({ stack = "" }: Error, file: string): string {
  const [first = ""] = stack.split("\n");
  const line = /:(\d+)$/.exec(first)?.[1];
  return line !== undefined && first.includes(file) ? ` (line ${line})` : "";
}

const firstLine = (text: string): string => text.trim().split("\n", 1)[0]?.trim() ?? "";
