import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isBuiltIn } from "../../shared/app.ts";
import { offline, withExamples } from "../command.ts";
import { exitCodes, Failure, usageFailure } from "../exit-codes.ts";
import { printText } from "../output/print.ts";

/** A complete rotator with its test, which the tests of this project run as well. */
const skeleton = resolve(import.meta.dirname, "../../examples/rotators/skeleton");

/** The ends of its file names, after the name of the rotator. */
const ends = [".ts", ".test.ts", "-server.ts"];

const folder = "rotators";

export const makeNewRotator = () =>
  withExamples(
    offline("new-rotator", "write a rotator of your own that works, with its test")
      .argument("<name>", "type of the rotator: lower-case letters, digits and hyphens")
      .action(writeRotator),
    ["keyturn new-rotator oracle", "writes rotators/oracle.ts and its test"],
    ["npm test -- rotators/oracle.test.ts", "runs the contract suite on it"],
  );

async function writeRotator(name: string): Promise<void> {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    throw usageFailure(
      "The name must be 1 to 63 lower-case letters, digits and hyphens, and begin with a letter.",
    );
  }
  if (await isBuiltIn(name)) {
    throw usageFailure(
      `Keyturn has a rotator of type ${name} already. Use another name, such as my-${name}.`,
    );
  }
  const files = ends.map((end) => ({
    from: join(skeleton, `skeleton${end}`),
    to: join(folder, `${name}${end}`),
  }));
  const taken = files.find(({ to }) => existsSync(to));
  if (taken) {
    throw new Failure(
      `${taken.to} exists already, so nothing was written. Use another name, or delete the file.`,
      exitCodes.failed,
    );
  }
  await mkdir(folder, { recursive: true });
  for (const { from, to } of files) {
    const text = rename(await readFile(from, "utf8"), name);
    await writeFile(to, text, { flag: "wx" });
    printText(`wrote ${to}`);
  }
  printText(`Test it: npm test -- ${folder}/${name}.test.ts`);
  printText(
    `Use it: rotators: [./${folder}/${name}.ts] in keyturn.yaml. docs/adding-a-rotator.md explains the rest.`,
  );
}

/** The type of the options has the name in another form. */
function rename(text: string, name: string): string {
  const words = name.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return text.replaceAll("Skeleton", words.join("")).replaceAll("skeleton", name);
}
