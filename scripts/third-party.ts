import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().optional(),
});

/** Path of the package that a file belongs to, however deep it is nested; undefined: not of a package. */
export function packageFolder(file: string): string | undefined {
  return /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(file)?.[1];
}

/** Name of the package that a file belongs to. */
export function packageName(file: string): string | undefined {
  const folder = packageFolder(file);
  return folder?.replaceAll("\\", "/").replace(/^.*\/node_modules\//, "");
}

/**
 * One text with the licences of every package that `files` come from, which most licences demand of whoever passes a
 * copy on. Throws when a package says nothing about its licence.
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
  return `What is bundled here, under the licences of its authors.\n\n${parts.join("\n")}`;
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
    throw new Error(`${relative(process.cwd(), folder)} does not say what its licence is.`);
  }
  const said = `${name} ${version}${license === undefined ? "" : ` (${license})`}`;
  const all = texts.map((one) => one.replaceAll("\r\n", "\n").trim());
  return {
    title: said,
    text: all.join("\n\n") || `Its package holds no text; its licence is ${license ?? ""}.`,
  };
}
