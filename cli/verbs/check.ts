import { checkConfig, listConfigProblems } from "../../shared/app.ts";
import { offline, withExamples } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { printJson, printNote, printText } from "../output/print.ts";
import { requireConfig, usualConfig } from "./config-file.ts";

export const makeCheck = () =>
  withExamples(
    offline("check", "check a configuration as the app does when it starts")
      .option("--config <file>", "file or folder of the configuration", usualConfig)
      .option("--json", "print JSON, for scripts")
      .action(({ config, json }) => (json ? checkForScripts(config) : checkForPeople(config))),
    ["keyturn check --config keyturn.yaml", "lists every problem with its line"],
  );

async function checkForPeople(path: string): Promise<void> {
  requireConfig(path);
  const { warnings, ...counts } = await count(path);
  for (const warning of warnings) printNote(`warning: ${warning}`);
  const parts = [...Object.entries(counts), ["warnings", warnings.length] as const];
  const texts = parts.map(
    ([noun, number]) => `${number} ${number === 1 ? noun.slice(0, -1) : noun}`,
  );
  printText(`${path} is valid: ${texts.join(", ")}.`);
}

async function checkForScripts(path: string): Promise<void> {
  try {
    printJson({ valid: true, ...(await count(path)) });
  } catch (error) {
    const problems = listConfigProblems(error);
    if (!problems) throw error;
    printJson({ valid: false, problems });
    process.exitCode = exitCodes.failed;
  }
}

async function count(path: string) {
  const outline = await checkConfig(path, process.cwd());
  const { targets, vaults, consumers, notifiers, warnings } = outline;
  return { targets: targets.length, vaults, consumers, notifiers, warnings };
}
