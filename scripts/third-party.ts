import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().optional(),
});

/** Returns the folder of the package that a file belongs to, at any depth; undefined when it belongs to none. */
export function packageFolder(file: string): string | undefined {
  return /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file)?.[1];
}

/** Returns the name of the package that a file belongs to. */
export function packageName(file: string): string | undefined {
  const folder = packageFolder(file);
  return folder?.replaceAll("\\", "/").replace(/^.*\/node_modules\//, "");
}

/**
 * Makes one text with the licences of every package that `files` come from; most licences require it in every copy. Throws when a
 * package does not name its licence.
 */
export async function licenceTexts(files: readonly string[]): Promise<string> {
  const folders = new Set(files.map(packageFolder).filter((folder) => folder !== undefined));
  const owners = new Map<string, string[]>();
  for (const folder of [...folders].toSorted()) {
    const { title, text } = await readLicence(folder);
    owners.set(text, [...(owners.get(text) ?? []), title]);
  }
  const rule = "-".repeat(80);
  const parts = [...owners].map(([text, titles]) =>
    [rule, ...new Set(titles), rule, "", text, ""].join("\n"),
  );
  return `Third-party packages in this bundle, and their licences.\n\n${parts.join("\n")}`;
}

async function readLicence(folder: string): Promise<{ title: string; text: string }> {
  const text = await readFile(join(folder, "package.json"), "utf8");
  const { name, version, license } = manifest.parse(JSON.parse(text));
  const files = (await readdir(folder)).filter((file) =>
    /^(licen[cs]e|copying|notice|thirdpartynotices)([.-](md|txt|mit|apache.*))?$/i.test(file),
  );
  const texts = await Promise.all(
    files.toSorted().map((file) => readFile(join(folder, file), "utf8")),
  );
  if (texts.length === 0 && license === undefined) {
    throw new Error(`${relative(process.cwd(), folder)} does not name its licence.`);
  }
  const said = `${name} ${version}${license === undefined ? "" : ` (${license})`}`;
  const all = texts.map((one) => one.replaceAll("\r\n", "\n").trim());
  return {
    title: said,
    text:
      all.join("\n\n") || `The package contains no licence text. Its licence is ${license ?? ""}.`,
  };
}
