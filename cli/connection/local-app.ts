import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The app that `npm start` runs. */
export interface LocalApp {
  readonly url: string;
  readonly key: string;
  /** The file that names it. */
  readonly file: string;
}

/** Finds `.keyturn/environment.json` in the folder or above. Undefined when `npm start` is not running there. */
export function findLocalApp(folder: string): LocalApp | undefined {
  const file = join(folder, ".keyturn", "environment.json");
  const found = readLocalApp(file);
  if (found) return found;
  const parent = dirname(folder);
  return parent === folder ? undefined : findLocalApp(parent);
}

function readLocalApp(file: string): LocalApp | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(file, "utf8"));
    const functions: unknown = Reflect.get(Object(content), "functions");
    const url: unknown = Reflect.get(Object(functions), "url");
    const key: unknown = Reflect.get(Object(functions), "key");
    return typeof url === "string" && typeof key === "string" ? { url, key, file } : undefined;
  } catch {
    return undefined;
  }
}
